"""derivo probe: tells what coslocal was told to speak, and leaves the bucket as it was."""

from __future__ import annotations

import json

import pytest

from coslocal.dialects import Dialects
from coslocal.http import Request, Response
from coslocal.pytest_plugin import REGION, SECRET_ID, SECRET_KEY, Cos
from derivo import settings
from derivo.cos import Cos as Client
from derivo.cos import CosFailure
from derivo_cli.probing import Found, probe
from tests.derivo_cli.shell import Shell


def probed(cos: Cos, prefix: str = "") -> Found:
    client = Client(settings.Settings(scheme="http", secret_id=SECRET_ID, secret_key=SECRET_KEY))
    return probe(client, cos.bucket, REGION, prefix)


@pytest.mark.parametrize("failing", ["keep-original", "drop-original"])
@pytest.mark.parametrize("path", ["literal", "normalised"])
@pytest.mark.parametrize("encoding", ["plain", "urlencoded", "base64url"])
def test_it_tells_what_is_spoken_and_leaves_nothing(cos: Cos, encoding: str, path: str, failing: str) -> None:
    cos.app.dialects = Dialects({"fileid-encoding": encoding, "fileid-path": path, "failed-put": failing})
    cos.put("in/a.jpg", b"somebody's")
    found = probed(cos, "scratch/茶 +/")
    assert (found.encoding, found.path, found.left) == (encoding, path, [])
    assert (found.requests, bool(found.said)) == ((2, True) if encoding == "base64url" else (1, False))
    assert cos.keys() == ["in/a.jpg"]


@pytest.mark.parametrize("original", ["own", "result"])
@pytest.mark.parametrize("result", ["md5", "sha1"])
def test_it_tells_what_else_the_answer_shows(cos: Cos, original: str, result: str) -> None:
    cos.app.dialects = Dialects({"original-etag": original, "result-etag": result})
    found = probed(cos)
    assert (found.original_etag, found.result_etag) == (original, result)


def test_without_a_folder_it_works_where_nothing_is_a_source(cos: Cos) -> None:
    probed(cos)
    assert cos.events
    assert all(event.key.startswith(".derivo/") for event in cos.events)


def test_what_has_nothing_to_do_with_fileids_is_raised_and_nothing_is_left(cos: Cos) -> None:
    app = cos.app

    class Throttling:
        def handle(self, request: Request) -> Response:
            response = app.handle(request)
            if request.method != "PUT":
                return response
            return Response(503, [("Content-Type", "application/xml")], b"<Error><Code>SlowDown</Code></Error>")

    cos.mounted.app = Throttling()  # type: ignore[assignment]
    with pytest.raises(CosFailure, match="SlowDown"):
        probed(cos)
    assert cos.keys() == []


def test_the_command_names_the_settings(shell: Shell) -> None:
    shell.server.app.dialects = Dialects({"fileid-encoding": "urlencoded", "fileid-path": "normalised"})
    done = shell.derivo("probe", f"cos://{shell.server.bucket}/")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "fileid-encoding  urlencoded",
        "fileid-path      normalised",
        "original-etag    own",
        "result-etag      md5",
        "keys with `//` cannot be written by CI here: sources that have it fail with bad_key",
        "set DERIVO_FILEID_ENCODING=urlencoded",
        "set DERIVO_FILEID_PATH=normalised",
        "probe: 1 request with processing",
    ]
    told = json.loads(shell.derivo("probe", f"cos://{shell.server.bucket}/", "--json").stdout)
    assert told["settings"] == {"DERIVO_FILEID_ENCODING": "urlencoded", "DERIVO_FILEID_PATH": "normalised"}


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("cos://photos-1250000000/a.jpg", 2, "is no folder; end it with /"),
        ("cos://photos-1250000000/50%/", 2, "name a folder without them"),
        ("cos://photos-1250000000/a//b/", 2, "name a folder without them"),
        ("cos://nowhere-1250000000/", 1, "NoSuchBucket"),
    ],
)
def test_what_cannot_be_probed_is_one_line(shell: Shell, address: str, code: int, said: str) -> None:
    done = shell.derivo("probe", address)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert said in done.stderr
