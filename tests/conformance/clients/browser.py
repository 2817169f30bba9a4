"""The vendor's SDK for browsers, in a page of another origin in headless Chromium; what it left is looked at."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.conformance.clients.node import lines_of, version
from tests.conformance.python_sdk import sdk
from tests.conformance.results import Result, attempt
from tests.conformance.sdk.images import facts, picture
from tests.conformance.target import APPID, Target
from tests.conformance.workshop import HERE, Workshop

NAME = "JS SDK in Chromium"
BUCKET, CLOSED = f"browser-{APPID}", f"browser-closed-{APPID}"


def prepare(workshop: Workshop) -> str:
    workshop.python()
    chromium = workshop.program("chromium", "chromium")
    told = subprocess.run([chromium, "--version"], check=True, capture_output=True, text=True).stdout.split()
    major = next((word.partition(".")[0] for word in told if word[:1].isdigit()), "")
    return f"{version(workshop.npm() / 'cos-js-sdk-v5')}, Chromium {major}"


def run(workshop: Workshop, target: Target) -> list[Result]:
    room = workshop.room("browser")
    (room / "picture.png").write_bytes(picture())
    client = sdk(target)
    _open_to_pages(client)
    results = _drive(workshop, target, room)
    results.append(attempt("what the page uploaded is stored", lambda: _check_stored(client)))
    results.append(attempt("the browser asked before it wrote", lambda: _check_asked(target)))
    return results


def _open_to_pages(client: Any) -> None:
    """One bucket with a CORS rule as the vendor's guide has it, one without any."""
    for bucket in (BUCKET, CLOSED):
        client.create_bucket(Bucket=bucket)
    rule = {
        "AllowedOrigin": ["*"], "AllowedMethod": ["PUT", "GET", "POST", "DELETE", "HEAD"], "AllowedHeader": ["*"],
        "ExposeHeader": ["ETag", "Content-Length", "x-cos-request-id", "x-cos-meta-a"], "MaxAgeSeconds": 600,
    }  # fmt: skip
    client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRule": [rule]})


def _drive(workshop: Workshop, target: Target, room: Path) -> list[Result]:
    settings = {
        "bucket": BUCKET, "closed": CLOSED, "region": target.region, "port": target.authority.rpartition(":")[2],
        "secretId": target.secret_id, "secretKey": target.secret_key,
    }  # fmt: skip
    environment = target.environment()
    del environment["http_proxy"]  # pages reach {bucket}.localhost by themselves
    sdk_file = workshop.npm() / "cos-js-sdk-v5" / "dist" / "cos-js-sdk-v5.min.js"
    script = [str(workshop.python()), str(HERE / "browser" / "drive.py")]
    words = [workshop.program("chromium", "chromium"), str(sdk_file), str(room / "picture.png"), json.dumps(settings)]
    return lines_of([*script, *words], room, environment)


def _check_stored(client: Any) -> None:
    def body(key: str) -> bytes:
        return bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].get_raw_stream().read())

    assert body("in/图 1.png") == picture()
    assert facts(body("in/small.webp")) == ("webp", 100, 75)
    assert facts(body("root.jpg")) == ("jpeg", 300, 400)
    assert client.list_objects(Bucket=CLOSED).get("Contents") is None


def _check_asked(target: Target) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{target.url}/_coslocal/journal?last=0") as answer:
        assert json.load(answer)["counts"].get("options_object", 0) > 0
