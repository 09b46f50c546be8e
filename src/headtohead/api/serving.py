"""`headtohead.serve`: bundles behind HTTP."""

from __future__ import annotations

import functools
import os
import time
from typing import Any

from headtohead.core.errors import UsageError

__all__ = ["serve"]


def serve(
    *models: str | os.PathLike[str],
    host: str = "127.0.0.1",
    port: int = 8000,
    token_file: str | os.PathLike[str] | None = None,
    runtime: str | None = None,
    **limits: Any,
) -> None:
    """Serve bundles over HTTP until the process is told to stop.

    Args:
        *models: bundles that `headtohead train` wrote, or files that `headtohead export` wrote.
        host: address to listen on; anything but loopback needs a token file.
        port: TCP port; 0 lets the system choose.
        token_file: file with the token that clients send as `Authorization: Bearer …`.
        runtime: "torch", "openvino", "onnxruntime", or "auto" for the fastest that agrees with torch; torch, or an
            exported file's own, if None.
        **limits: further fields of `headtohead.serve.settings.ServeSettings`, such as `max_bytes`.

    Raises:
        UsageError: a setting that is not possible, or a port that is taken.
        MissingExtraError: the extra `serve` is not installed.
        PrecisionError: the runtime asked for does not agree with torch.
        HeadToHeadError: a bundle cannot be loaded.
    """
    from headtohead.serve.process import wait_briefly

    wait_briefly()  # before torch is imported, which looks at it once
    from pydantic import ValidationError

    from headtohead.serve.access_log import use_json_lines
    from headtohead.serve.app import build_app, load_bundle
    from headtohead.serve.server import run_server
    from headtohead.serve.settings import ServeSettings, read_token

    began = time.perf_counter()
    try:
        settings = ServeSettings(host=host, port=port, token_file=token_file, **limits)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{place}: {text}" if place else text) from None
    if settings.token_file is not None:
        read_token(settings.token_file)  # before the models are loaded, which may take a while
    use_json_lines()
    load = functools.partial(load_bundle, runtime=runtime)
    run_server(build_app([os.fspath(model) for model in models], settings, load=load), settings, began=began)
