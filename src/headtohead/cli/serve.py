"""`headtohead serve`: bundles behind HTTP, with a page for the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

Models = Annotated[list[Path], typer.Argument(help="Bundles or exported files; several are compared.")]
Host = Annotated[str, typer.Option(help="Address to listen on; anything but loopback needs --token-file.")]
Port = Annotated[int, typer.Option(help="Port; 0 lets the system choose.", min=0, max=65535)]
TokenFile = Annotated[
    Path | None, typer.Option(help="File whose first line is the token that clients must send.")
]
AllowHost = Annotated[
    list[str] | None, typer.Option(help="Further name by which clients may address the server; repeat it.")
]
MaxMb = Annotated[int, typer.Option(help="Largest request in MiB.", min=1)]
MaxQueue = Annotated[int, typer.Option(help="Images that may wait for one model.", min=1)]
MaxBatch = Annotated[
    int, typer.Option(help="Images computed together, if they wait already.", min=1, max=256)
]


Runtime = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default="torch; that of an exported file",
        help="torch, openvino, onnxruntime, or auto: the fastest that agrees with torch.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(_serve)


def _serve(
    models: Models,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token_file: TokenFile = None,
    allow_host: AllowHost = None,
    max_mb: MaxMb = 64,
    max_queue: MaxQueue = 256,
    max_batch: MaxBatch = 16,
    runtime: Runtime = None,
) -> None:
    """Serve models over HTTP, with a page at / where images are dropped. Stop it with Ctrl-C or SIGTERM.

    Example: headtohead serve models/lite0 models/dinov2 --port 8000

    Then: curl -F file=@scan.dcm 'http://127.0.0.1:8000/v1/compare'
    """
    from headtohead.api.serving import serve

    serve(
        *models,
        host=host,
        port=port,
        token_file=token_file,
        allow_hosts=tuple(allow_host or ()),
        max_bytes=max_mb * 1024 * 1024,
        max_queue=max_queue,
        max_batch=max_batch,
        runtime=runtime,
    )
