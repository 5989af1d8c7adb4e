"""What the hubs' libraries need of their servers for an upload, on this machine."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class UploadHub(http.server.ThreadingHTTPServer):
    """Hugging Face's hub and Kaggle in one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), UploadRequest)
        self.files: dict[str, bytes] = {}
        self.requests: dict[str, dict] = {}  # the last body by the name of the call
        self.calls: list[str] = []
        self.versions = 0  # of the variation on Kaggle
        self.refusal: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class UploadRequest(http.server.BaseHTTPRequestHandler):
    server: UploadHub

    def do_GET(self) -> None:
        self.answer(b"")

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:
        self.do_POST()

    def answer(self, body: bytes) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if self.server.refusal:
            self.send({}, self.server.refusal)
            return
        match parts:
            case ["api", "repos", "create"]:
                request = json.loads(body)
                self.note("create_repo", request)
                self.send({"url": f"{self.server.url}/{request['organization']}/{request['name']}"})
            case ["api", "validate-yaml"]:
                self.note("card", json.loads(body))
                self.send({"errors": [], "warnings": []})
            case ["api", "models", *_, "preupload", "main"]:
                files = [file["path"] for file in json.loads(body)["files"]]
                self.send({"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in files]})
            case ["api", "models", owner, name, "commit", "main"]:
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                commit = "c" * 40
                self.send(
                    {
                        "success": True,
                        "commitOid": commit,
                        "commitUrl": f"{self.server.url}/{owner}/{name}/commit/{commit}",
                    }
                )
            case ["v1", _, "StartBlobUpload"]:
                name = json.loads(body)["name"]
                self.send({"token": name, "createUrl": f"{self.server.url}/blob/{name}"})
            case ["blob", name]:
                self.server.files[name] = body
                self.send({})
            case ["v1", _, "CreateModelInstance" as call]:
                self.note(call, json.loads(body))
                self.server.versions += 1
                self.send({} if self.server.versions == 1 else {"error": "it is there already", "errorCode": 409})
            case ["v1", _, "GetModel" | "CreateModelInstanceVersion" as call]:
                self.note(call, json.loads(body))
                self.send({})
            case _:
                self.send({}, 404)

    def note(self, call: str, body: dict) -> None:
        self.server.calls.append(call)
        self.server.requests[call] = body

    def send(self, content: dict, status: int = 200) -> None:
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(encoded)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def upload_hub() -> Iterator[UploadHub]:
    """A hub that runs for a block."""
    server = UploadHub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
