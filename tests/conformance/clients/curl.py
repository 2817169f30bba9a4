"""curl with URLs that the vendor's SDK has signed."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.python_sdk import Bench, bench, on
from tests.conformance.results import Result, attempt, checks_of, title
from tests.conformance.sdk.images import facts, picture
from tests.conformance.target import Target
from tests.conformance.workshop import Workshop

NAME = "curl"


@dataclass
class Curl:
    """Runs curl through coslocal as the proxy, in the folder of its bench."""

    program: str
    bench: Bench

    def __call__(self, method: str, key: str, *words: str, url: str = "", feed: bytes = b"", **more: object) -> bytes:
        """What curl printed; `-f` makes a refusal an AssertionError."""
        signed = url or on(self.bench, "get_presigned_url")(Method=method, Key=key, **more)
        command = [self.program, "-sS", "-x", self.bench.target.url, *words, signed]
        done = subprocess.run(command, cwd=self.bench.folder, check=False, capture_output=True, input=feed)
        assert done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr.decode()}"
        return done.stdout

    def code(self, method: str, key: str, *words: str, url: str = "") -> int:
        return int(self(method, key, "-o", "ignored", "-w", "%{http_code}", *words, url=url))


def prepare(workshop: Workshop) -> str:
    told = subprocess.run([workshop.program("curl", "curl"), "--version"], check=True, capture_output=True, text=True)
    return told.stdout.split()[1]


def run(workshop: Workshop, target: Target) -> list[Result]:
    program, room = workshop.program("curl", "curl"), workshop.room("curl")
    checks = checks_of([sys.modules[__name__]])
    return [attempt(title(check), functools.partial(_one, check, program, target, room)) for check in checks]


def _one(check: object, program: str, target: Target, folder: Path) -> None:
    assert callable(check)
    check(Curl(program, bench(target, folder)))


def check_a_file_goes_up_and_comes_down(curl: Curl) -> None:
    curl.bench.file("up", b"hello")
    key = "目录/a b+&=?#.txt"
    curl("PUT", key, "-f", "-T", "up")
    assert curl("GET", key, "-f") == b"hello"
    assert curl.bench.get(key) == b"hello"


def check_a_big_file_is_sent_after_100_continue(curl: Curl) -> None:
    data = bytes(range(256)) * 20_000
    curl.bench.file("up", data)
    seen = curl("PUT", "a", "-f", "-T", "up", "-H", "Expect: 100-continue", "--expect100-timeout", "30", "-D", "-")
    assert seen.startswith(b"HTTP/1.1 100 Continue"), seen[:200]
    assert curl("GET", "a") == data


def check_standard_input_goes_up_in_chunks(curl: Curl) -> None:
    curl("PUT", "a", "-f", "-T", "-", "-H", "Transfer-Encoding: chunked", feed=b"x" * 300_000)
    assert curl.bench.head("a")["Content-Length"] == "300000"


def check_an_empty_file_goes_up(curl: Curl) -> None:
    curl.bench.file("up", b"")
    curl("PUT", "a", "-f", "-T", "up")
    assert curl.bench.head("a")["Content-Length"] == "0"


def check_a_download_is_continued(curl: Curl) -> None:
    curl.bench.put("a", b"0123456789")
    curl.bench.file("down", b"0123")
    curl("GET", "a", "-f", "-C", "-", "-o", "down")
    assert (curl.bench.folder / "down").read_bytes() == b"0123456789"
    assert curl("GET", "a", "-r", "2-4") == b"234"
    assert curl.code("GET", "a", "-r", "20-") == 416


def check_an_unchanged_object_is_not_sent_again(curl: Curl) -> None:
    etag = curl.bench.put("a", b"x")
    assert curl.code("GET", "a", "-H", f"If-None-Match: {etag}") == 304
    assert curl.code("GET", "a", "-H", 'If-None-Match: "other"') == 200
    assert curl.code("GET", "a", "-z", "Thu, 01 Jan 2099 00:00:00 GMT") == 304
    assert curl.code("GET", "a", "-z", "Mon, 01 Jan 2001 00:00:00 GMT") == 200


def check_head_tells_and_delete_deletes(curl: Curl) -> None:
    curl.bench.put("a", b"x" * 7)
    assert b"Content-Length: 7\r\n" in curl("HEAD", "a", "-I")
    assert curl.code("DELETE", "a", "-X", "DELETE") == 204
    assert curl.code("GET", "a") == 404


def check_a_signature_is_for_one_method_and_key(curl: Curl) -> None:
    curl.bench.put("a")
    url = on(curl.bench, "get_presigned_url")(Method="GET", Key="a")
    assert curl.code("GET", "a", url=url) == 200
    assert curl.code("GET", "a", "-X", "DELETE", url=url) == 403
    assert curl.code("GET", "a", url=url.replace("/a?", "/b?")) == 403
    assert curl.code("GET", "a", url=url.partition("?")[0]) == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in curl("GET", "a", url=url.replace("q-signature=", "q-signature=0"))


def check_without_a_proxy_by_the_hosts_name(curl: Curl) -> None:
    curl.bench.put("a", b"hello")
    on(curl.bench, "put_object_acl")(Key="a", ACL="public-read")
    authority = curl.bench.target.authority
    host = curl.bench.target.host(curl.bench.bucket)
    assert curl("GET", "a", "--noproxy", "*", "--connect-to", f"::{authority}", url=f"http://{host}/a") == b"hello"
    port = authority.rpartition(":")[2]
    local = f"http://{curl.bench.bucket}.localhost:{port}/a"
    assert curl("GET", "a", "--noproxy", "*", "--connect-to", f"::{authority}", url=local) == b"hello"


def check_a_signed_url_processes_an_image(curl: Curl) -> None:
    curl.bench.put("a.png", picture())
    rule = {"imageMogr2/thumbnail/100x/format/webp": ""}
    assert facts(curl("GET", "a.png", "-f", Params=rule)) == ("webp", 100, 75)
