"""Ray Serve: one replica per model, the same answers as `headtohead serve`.

    pip install 'headtohead[ray,serve]'
    RAY_USAGE_STATS_ENABLED=0 HEADTOHEAD_MODEL=models/lite0 serve run deploy.ray_serve:app

    curl --data-binary @scan.dcm http://127.0.0.1:8000/

Without the first setting Ray reports its use to its makers. One image per request in the body. Ray Serve has no
limits on uploads and no tokens of its own: keep it behind a gateway that has. `headtohead serve` has both, and needs
no cluster.
"""

from __future__ import annotations

import os
from typing import Any

from ray import serve

MOST_BYTES = 64 * 2**20


@serve.deployment(max_ongoing_requests=16, ray_actor_options={"num_cpus": 1})
class HeadToHead:
    """A loaded model behind Ray Serve."""

    def __init__(self, path: str) -> None:
        import headtohead

        self.model = headtohead.load_model(path)

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)
    async def judge(self, contents: list[bytes]) -> list[dict[str, Any]]:
        """Return an answer for each image that waits already; nothing waits for a batch to fill."""
        results = self.model.predict_bytes([("upload", content) for content in contents])
        return [
            {
                "digest": self.model.digest,
                "probabilities": dict(one.probabilities),
                "label": one.predicted,
                "error": one.error,
                "research_use_only": True,
            }
            for one in results
        ]

    async def __call__(self, request: Any) -> Any:
        """Answer one request."""
        from starlette.responses import JSONResponse

        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES:
                return JSONResponse({"detail": "The image is larger than 64 MiB."}, status_code=413)
        answer = await self.judge(bytes(content))
        return JSONResponse(answer, status_code=422 if answer["error"] else 200)


app = HeadToHead.bind(os.environ.get("HEADTOHEAD_MODEL", "/models/model.onnx"))
