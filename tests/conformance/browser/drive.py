"""Serves page.html on a loopback port, opens it in Debian's Chromium, and prints a line of JSON for each of its checks.

python drive.py CHROMIUM SDK.js PICTURE SETTINGS, in an environment with Playwright.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_TYPES = {".html": "text/html", ".js": "text/javascript", ".png": "image/png"}
_PATIENCE = 300_000


def serve(files: dict[str, Path]) -> int:
    """Serve these files, by their paths, from a thread; the port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = files.get(self.path)
            self.send_response(200 if path else 404)
            self.send_header("Content-Type", _TYPES[path.suffix] if path else "text/plain")
            self.end_headers()
            self.wfile.write(path.read_bytes() if path else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main(chromium: str, sdk: str, picture: str, settings: str) -> None:
    here = Path(__file__).parent
    port = serve(
        {
            "/page.html": here / "page.html",
            "/page.js": here / "page.js",
            "/cos-js-sdk-v5.min.js": Path(sdk),
            "/picture.png": Path(picture),
        }
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE)
        page.goto(f"http://127.0.0.1:{port}/page.html")
        for result in page.evaluate("settings => run(settings)", json.loads(settings)):
            sys.stdout.write(json.dumps(result) + "\n")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
