"""The same life under every choice of every dialect, untold and told what is spoken: sources with ugly keys, one of
them overwritten and its first event late, a rule that can never work. Retries end; each derivative ends in one outcome;
what is called written lies there, of the source that stands; and nothing lies anywhere that no outcome named."""

from __future__ import annotations

from typing import Any

import pytest

from coslocal.dialects import REQUESTS, TABLE, Dialects
from coslocal.pytest_plugin import Cos
from derivo.fileids import PROBES, Fileids, normal
from derivo.handle import Unfinished

from .conftest import Function, event_of, index_of, photo

RULES = """
prefix: in/
derivatives:
  - {name: thumb, to: "/out/{path}.thumb.png", rule: imageMogr2/thumbnail/9x9>/format/png}
  - {name: bad, to: "/out/{path}.bad.jpg", style: not-there}
  - {name: card, to: "/out/{dir}/{derivative}-{stem}.jpg", rule: imageMogr2/auto-orient/crop/8x8/format/jpg}
"""
OVERWRITTEN = "in/茶 a+b/ü.jpg"
KEYS = [OVERWRITTEN, "in/%41 %//b.JPG"]
CHOICES = [pytest.param(d.name, choice, id=f"{d.name}={choice}") for d in TABLE for choice in d.choices]
OF_REQUESTS = {dialect.name for dialect in REQUESTS}
MOST_TRIES = 3  # of the platform: the first, and two more (SCF 3.1)


def deliver(function: Function, event: Any) -> None:
    """As the platform does it: again when it is raised. The last of its tries must end well."""
    for _ in range(MOST_TRIES - 1):
        try:
            function.run(event)
        except Unfinished:
            continue
        return
    function.run(event)


def live(function: Function) -> dict[str, dict[str, dict[str, Any]]]:
    """Source -> derivative's name -> what was last logged of it."""
    late = function.upload(OVERWRITTEN, photo(16, 12))
    records = [function.upload(key, photo(12, 16)) for key in KEYS]
    deliver(function, event_of(*records))
    deliver(function, event_of(late))
    last = {line["key"]: line for line in function.lines}
    assert set(last) == set(KEYS)
    for line in last.values():
        assert sorted(item["name"] for item in line["derivatives"]) == ["bad", "card", "thumb"]
    return {key: {item["name"]: item for item in line["derivatives"]} for key, line in last.items()}


def check(function: Function, found: dict[str, dict[str, dict[str, Any]]], path: str) -> None:
    cos = function.cos
    for key, items in found.items():
        assert items["bad"]["outcome"].startswith("failed(permanent, ")
        made = path == "literal" or normal(key) == key
        for item in (items["thumb"], items["card"]):
            assert item["outcome"] == ("written" if made else "failed(permanent, bad_key)")
            stored = cos.app.store.get(cos.bucket, item["key"])
            assert (stored is not None) == made
            assert stored is None or (stored.etag, stored.size) == (item["etag"], item["size"])
        if made:
            assert items["thumb"]["height"] == 9  # the picture that came last stands upright
    named = {item.get("instead") or item["key"] for line in function.lines for item in line["derivatives"]}
    assert set(cos.keys()) <= {*KEYS, *named}


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_a_life_under_every_choice(cos: Cos, name: str, choice: str) -> None:
    cos.app.dialects = Dialects({name: choice})
    function = Function(cos, index_of(RULES), fileids=Fileids())
    check(function, live(function), cos.app.dialects["fileid-path"])
    spoken = (cos.app.dialects["fileid-encoding"], cos.app.dialects["fileid-path"])
    assert function.fileids is not None
    assert (function.fileids.encoding, function.fileids.path) == spoken


@pytest.mark.parametrize(("name", "choice"), [each for each in CHOICES if each.values[0] in OF_REQUESTS])
def test_a_life_under_every_choice_where_settings_tell_what_is_spoken(cos: Cos, name: str, choice: str) -> None:
    cos.app.dialects = Dialects({name: choice})
    encoding, path = cos.app.dialects["fileid-encoding"], cos.app.dialects["fileid-path"]
    function = Function(cos, index_of(RULES), fileids=Fileids(encoding, path))
    check(function, live(function), path)
    assert not any(event.key.startswith(PROBES) for event in cos.events)


@pytest.mark.parametrize("path", ["literal", "normalised"])
@pytest.mark.parametrize("encoding", ["urlencoded", "base64url"])
@pytest.mark.parametrize("partial", ["omit", "refuse-late"])
def test_a_life_where_it_is_worst(cos: Cos, encoding: str, path: str, partial: str) -> None:
    chosen = {"fileid-encoding": encoding, "fileid-path": path, "partial-failure": partial}
    cos.app.dialects = Dialects(chosen | {"error-status": "ok-with-error", "error-code": "number"})
    function = Function(cos, index_of(RULES))
    check(function, live(function), path)
