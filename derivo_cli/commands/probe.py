"""derivo probe: what the COS at hand speaks, where the vendor's pages leave it open, and which settings say so."""

from __future__ import annotations

import json

from rich.console import Console
from rich.text import Text

from derivo import settings
from derivo.cos import Cos, CosFailure
from derivo.fileids import NORMALISED, Fileids
from derivo_cli import probing, regions, url
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.probing import Found


def run(address: str, *, region: str | None, as_json: bool, console: Console) -> int:
    """Print what was found. 0 when all is clear, 1 when something is not, or could not be removed."""
    target = url.parse(address)
    if target.key and not target.key.endswith("/"):
        raise Stop(f"{address} is no folder; end it with /")
    if Fileids().is_open(target.key[:-1]):
        raise Stop(f"{address}: how COS reads `%` and `//` is the question; name a folder without them")
    configured = settings.read()
    where = regions.known(region, configured)
    try:
        found = probing.probe(Cos(configured, Fileids()), target.bucket, where, target.key)
    except CosFailure as failure:
        raise Stop(f"{address}: {failure}", FINDINGS) from None
    advised = _advised(found)
    if as_json:
        told = {"dialects": _dialects(found), "settings": advised, "left": found.left, "refused": found.said}
        console.file.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _show(found, advised, console)
    return DONE if found.encoding and found.path and not found.left else FINDINGS


def _advised(found: Found) -> dict[str, str]:
    told = {"DERIVO_FILEID_ENCODING": found.encoding, "DERIVO_FILEID_PATH": found.path}
    return {name: value for name, value in told.items() if value}


def _dialects(found: Found) -> dict[str, str]:
    """By the names that coslocal has for them."""
    seen = {
        "fileid-encoding": found.encoding,
        "fileid-path": found.path,
        "original-etag": found.original_etag,
        "result-etag": found.result_etag,
    }
    return {name: choice for name, choice in seen.items() if choice}


def _show(found: Found, advised: dict[str, str], console: Console) -> None:
    lines = [f"{name:15}  {choice}" for name, choice in _dialects(found).items()]
    if found.said:
        lines.append(f"refused: {found.said}")
    if found.encoding is None:
        lines.append("how fileids are read could not be told")
    if found.path == NORMALISED:
        lines.append("keys with `//` cannot be written by CI here: sources that have it fail with bad_key")
    lines += [f"set {name}={value}" for name, value in advised.items()]
    lines += [f"left behind: {key}" for key in found.left]
    lines.append(f"probe: {found.requests} {'request' if found.requests == 1 else 'requests'} with processing")
    for line in lines:
        console.print(Text(line), soft_wrap=True)
