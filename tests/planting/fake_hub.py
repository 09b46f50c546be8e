"""A hub of data sets on the loopback interface: as much of the Hugging Face API as `datasets` asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["serve_hub"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Hub(BaseHTTPRequestHandler):
    files: Mapping[str, bytes] = {}
    repo = ""
    etag = ""
    asked: list[str] = []  # noqa: RUF012 - set anew for each server

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = self.rfile.read(length).decode()
        self.asked.append(f"POST {self.path}")
        if "/paths-info/" in self.path:
            paths = json.loads(asked)["paths"] if asked.startswith("{") else []
            self._json([self._entry(p) for p in paths if p in self.files or self._is_folder(p)])
        else:
            self._missing()

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.asked.append(f"{self.command} {path}")
        api = f"/api/datasets/{self.repo}"
        resolve = f"/datasets/{self.repo}/resolve/"
        if path.startswith(f"{api}/tree/"):
            self._json(self._tree(path.removeprefix(f"{api}/tree/").partition("/")[2]))
        elif path == api or path.startswith(f"{api}/revision/"):
            siblings = [{"rfilename": name} for name in self.files]
            self._json({"id": self.repo, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})
        elif (
            path.startswith(resolve) and (name := path.removeprefix(resolve).partition("/")[2]) in self.files
        ):
            self._file(self.files[name], body)
        else:
            self._missing("EntryNotFound" if path.startswith(resolve) else "RepoNotFound")

    def _tree(self, below: str) -> list[dict[str, Any]]:
        """Return the files and folders in a folder, all below it if the query says recursive."""
        front = f"{below}/" if below else ""
        inside = [path for path in self.files if path.startswith(front)]
        folders = {front + path[len(front) :].rpartition("/")[0] for path in inside} - {front}
        if "recursive=true" not in urlsplit(self.path).query.lower():
            inside = [path for path in inside if "/" not in path[len(front) :]]
            folders = {front + path[len(front) :].partition("/")[0] for path in folders}
        return [self._entry(path) for path in [*sorted(folders), *inside]]

    def _is_folder(self, path: str) -> bool:
        return any(name.startswith(f"{path}/") for name in self.files)

    def _entry(self, path: str) -> dict[str, Any]:
        if path not in self.files:
            return {"type": "directory", "path": path, "oid": COMMIT, "size": 0}
        content = self.files[path]
        return {"type": "file", "path": path, "oid": hashlib.sha1(content).hexdigest(), "size": len(content)}

    def _file(self, content: bytes, body: bool) -> None:
        start, end = 0, len(content)
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            first, _, last = asked[6:].partition("-")
            start, end = int(first or 0), int(last) + 1 if last else len(content)
        self.send_response(206 if asked else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", self.etag or f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if body:
            self.wfile.write(content[start:end])

    def _json(self, found: Any) -> None:
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _missing(self, code: str = "EntryNotFound") -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serve_hub(repo: str, files: Mapping[str, bytes], etag: str = "") -> Iterator[tuple[str, list[str]]]:
    """Serve one data set; give the address and the list of what is asked.

    Args:
        repo: "owner/name".
        files: path in the repository -> content.
        etag: of every file, instead of its own.
    """
    asked: list[str] = []
    handler = type("Hub", (_Hub,), {"files": dict(files), "repo": repo, "asked": asked, "etag": etag})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
