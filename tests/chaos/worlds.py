"""What a schedule may meet: rule sets of several shapes, pictures, keys, and every choice of coslocal's dialects."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import pyvips

from coslocal.dialects import TABLE
from coslocal.storage.crc64 import crc64
from coslocal.storage.types import StoredObject
from derivo import ownobjects
from derivo.loading import load_text
from derivo.matching import RuleSetIndex

BUCKET = "examplebucket-1250000000"
MIRROR = "mirror-1250000000"
REGION = "ap-guangzhou"
FAILURES = "failures/"
CURSORS = ownobjects.FOLDER + "sweep"

_ONE = "  - {name: a, to: '/out/{path}.a.png', rule: imageMogr2/auto-orient/thumbnail/6x}\n"
_TWO = _ONE + "  - {name: b, to: '/out/{path}.b.jpg', rule: imageMogr2/auto-orient/rotate/90/format/jpg}\n"
_SEVEN = "".join(
    f"  - {{name: n{n}, to: '/out/{{path}}.n{n}.png', rule: imageMogr2/auto-orient/thumbnail/{3 + n}x}}\n"
    for n in range(7)
)
_BAD = "  - {name: bad, to: '/out/{path}.bad.jpg', style: not-there}\n"
_BY_SPEC = "  - {name: s, to: '/out/{path}.{spec}.png', rule: imageMogr2/auto-orient/thumbnail/5x}\n"
_ELSEWHERE = (
    "  - {name: here, to: '/out/{path}.png', rule: imageMogr2/auto-orient/thumbnail/5x}\n"
    f"  - {{name: there, to: '/out/{{path}}.png', bucket: {MIRROR}, rule: imageMogr2/auto-orient/thumbnail/4x}}\n"
)


@dataclass(frozen=True)
class Shape:
    """Rule sets that are deployed together. `overwrites`: whether the client may write one key twice."""

    name: str
    files: tuple[str, ...]
    overwrites: bool = True


def _file(derivatives: str, *lines: str) -> str:
    return "\n".join(["prefix: in/", *lines, "derivatives:", derivatives])


# A rule set that takes the derivatives of another for its sources.
_LINK = """
prefix: mid/
chained: true
manifest: /meta2/{path}.json
derivatives:
  - {name: c, to: '/out/{path}.c.png', rule: imageMogr2/auto-orient/thumbnail/3x}
"""

_MANIFEST = "manifest: /meta/{path}.json"
_DELETE = "on_remove: delete"
_ON_FAILURE = f"on_failure: /{FAILURES}"

SHAPES = (
    Shape("one", (_file(_ONE),)),
    Shape("two", (_file(_TWO, _ON_FAILURE),)),
    Shape("seven", (_file(_SEVEN),)),
    Shape("manifest", (_file(_TWO, _MANIFEST),)),
    Shape("manifest-seven", (_file(_SEVEN, _MANIFEST, _ON_FAILURE),)),
    Shape("delete", (_file(_TWO, _MANIFEST, _DELETE),)),
    Shape("delete-seven", (_file(_SEVEN, _MANIFEST, _DELETE, _ON_FAILURE),)),
    Shape("delete-by-spec", (_file(_BY_SPEC, _DELETE),)),
    Shape("two-buckets", (_file(_ELSEWHERE, _MANIFEST, _DELETE),)),
    Shape("two-sets", (_file(_TWO, _MANIFEST, _DELETE), _file(_BY_SPEC, _MANIFEST.replace("meta", "meta2")))),
    Shape("chained", (_file(_ONE.replace("/out/", "/mid/"), _MANIFEST), _LINK)),
    Shape("chained-delete", (_file(_ONE.replace("/out/", "/mid/"), _MANIFEST, _DELETE), _LINK)),
    Shape("one-bad-rule", (_file(_TWO + _BAD, _ON_FAILURE),)),
    Shape("immutable", (_file(_TWO, "immutable: true", _MANIFEST),), overwrites=False),
    Shape("immutable-delete", (_file(_TWO, "immutable: true", _MANIFEST, _DELETE),), overwrites=False),
)
BY_NAME = {shape.name: shape for shape in SHAPES}

SOURCES = ("in/", "mid/")
"""The prefixes under which the triggers fire."""

KEYS = ("in/a.png", "in/b c+é.png", "in/sub/z.jpg", "in//%41.png")
BACKUP = "bak/"
BROKEN_KEY = "in/broken.jpg"
BROKEN = "broken"

MIXTURES = 64
"""So many mixtures of dialects there are: enough that any two choices of two dialects meet, few enough to be quick."""


@cache
def dialects(number: int) -> dict[str, str]:
    """A choice for each dialect, without defaults; 0 are the defaults. Another dialect changes no choice of these."""
    if number == 0:
        return {}
    chosen = {d.name: random.Random(f"dialects/{number}/{d.name}").choice(d.choices) for d in TABLE}
    return {d.name: chosen[d.name] for d in TABLE if chosen[d.name] != d.default}


@cache
def index(shape: str) -> RuleSetIndex:
    made = []
    for number, text in enumerate(BY_NAME[shape].files):
        rule_set, faults = load_text(text, f"rules/set{number}.yml")
        if rule_set is None:
            raise ValueError(faults)
        made.append(rule_set)
    return RuleSetIndex(made)


PICTURES = ("p0", "p1", "p2", "p3")


_BYTES = 1024


@cache
def picture(name: str) -> bytes:
    """A small picture, of so many bytes as all others: only ETags tell them apart; `broken` is none."""
    if name == BROKEN:
        return b"this is no picture"
    number = PICTURES.index(name)
    image = pyvips.Image.black(10 + number, 7, bands=3).linear(1, [60 * number, 200 - 50 * number, 30])
    data: bytes = image.cast("uchar").copy(interpretation="srgb").write_to_buffer(".jpg" if number == 3 else ".png")
    return data.ljust(_BYTES, b"\0")


@cache
def _by_checksum() -> dict[str, bytes]:
    return {str(crc64(picture(name))): picture(name) for name in (*PICTURES, BROKEN)}


def picture_in(item: StoredObject) -> bytes | None:
    """What a version was, also one that has been overwritten. None: no client wrote it."""
    return _by_checksum().get(item.crc64)
