"""Serves a folder with the headers that let a page run WebAssembly with threads."""

from __future__ import annotations

import functools
import http.server
from pathlib import Path

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class FolderServer(http.server.ThreadingHTTPServer):
    """A server of one folder, which listens from the beginning.

    Args:
        folder: What it serves.
        host: The address to listen at.
        port: The port; 0 takes one that is free.

    Raises:
        OSError: The port is taken or may not be used.

    Example:

    >>> with FolderServer(Path("."), "127.0.0.1", 0) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int) -> None:
        handler = functools.partial(_Handler, directory=str(folder))
        try:
            super().__init__((host, port), handler)
        except OSError as error:
            raise OSError(
                error.errno, f"cannot listen at {host}:{port} ({error.strerror}); choose another --host or --port"
            ) from error

    @property
    def url(self) -> str:
        """Its address."""
        host, port = self.server_address[:2]
        return f"http://{host}:{port}/"


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".packed": "application/octet-stream",
        ".tflite": "application/octet-stream",
        ".svg": "image/svg+xml",
    }

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Stays silent."""
