"""What a region speaks: one tiny PUT with processing, in a folder of its own, tells what the pages leave open."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from derivo.asking import REFUSALS
from derivo.cos import Cos, CosFailure, Processed
from derivo.fileids import BASE64URL, NAMES, PLAIN, bare, question, understood
from derivo.ownobjects import FOLDER

_SECONDS = 60.0
_SOURCE = "source.png"
# two pixels each way, grey
_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000000e49444154789c6368686068680000060602012c"
    "c150d70000000049454e44ae426082"
)


class Found(msgspec.Struct, kw_only=True):
    """What was seen; None is what the answer did not tell. `said` is what COS refused, "" when nothing; `left` are keys
    that were written and could not be removed, or lie elsewhere than they should."""

    encoding: str | None = None
    path: str | None = None
    original_etag: str | None = None
    result_etag: str | None = None
    requests: int = 0
    said: str = ""
    left: list[str] = msgspec.field(default_factory=list)


def probe(client: Cos, bucket: str, region: str, prefix: str) -> Found:
    """Find out, and remove every object that this wrote. `client` must know nothing of fileids yet. Raises CosFailure
    for what has nothing to do with fileids, such as a right that is missing."""
    folder = f"{prefix or FOLDER}derivo-probe-{secrets.token_hex(4)}/"
    found = Found()
    try:
        for encoding in (PLAIN, BASE64URL):
            found.requests += 1
            try:
                answer = client.put(
                    bucket=bucket,
                    region=region,
                    key=folder + _SOURCE,
                    body=_PICTURE,
                    headers={"ContentType": "image/png"},
                    pic_operations=question(encoding, folder),
                    timeout=_SECONDS,
                )
            except CosFailure as failure:
                if failure.code not in REFUSALS:
                    raise
                found.said = str(failure)
                continue
            if answer is not None:
                _read(answer, encoding, folder, found)
            break
    finally:
        _remove(client, bucket, region, folder, found)
    return found


def _read(answer: Processed, encoding: str, folder: str, found: Found) -> None:
    named = [bare(result.key) for result in answer.results]
    found.encoding, found.path = understood(named, encoding, folder)
    found.left = [key for key in named if not key.startswith(folder)]
    found.original_etag = "own" if answer.etag == hashlib.md5(_PICTURE, usedforsecurity=False).hexdigest() else "result"
    sizes = {32: "md5", 40: "sha1"}
    found.result_etag = next((sizes.get(len(result.etag)) for result in answer.results), None)


def _remove(client: Cos, bucket: str, region: str, folder: str, found: Found) -> None:
    """Delete whatever may have been written, also by a request whose answer never came."""
    for name in (_SOURCE, *NAMES):
        try:
            client.delete(bucket=bucket, region=region, key=folder + name, timeout=_SECONDS)
        except CosFailure as failure:
            found.left.append(f"{folder}{name} ({failure.code})")
