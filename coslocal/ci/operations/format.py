"""`format/<name>`: what the result is written as (CI 4.6)."""

from __future__ import annotations

from coslocal.ci import errors, pixels
from coslocal.ci.source import WRITABLE
from coslocal.ci.work import Segment, Work
from derivo.ci import formats
from derivo.ci.tree import Format

# the sniffed names are the long ones
_LONG = {"jpg": "jpeg"}


def resolve(name: str) -> str:
    """The format behind a name of the language. Raises ImageError for what cannot be written (heif, tpg, psd ...)."""
    family = formats.family(name)
    found = _LONG.get(family, family)
    if found not in WRITABLE or name == "svgc":
        raise errors.bad_format(f"coslocal cannot write {name}; it writes {', '.join(WRITABLE)}")
    return found


def switch(work: Work, name: str) -> None:
    """Write as this from here on. Formats without motion take the first frame."""
    format = work.output.format = resolve(name)
    if format not in pixels.ANIMATED:
        work.picture = pixels.select(work.picture, [0])


def apply(work: Work, segment: Segment, op: Format) -> None:
    switch(work, op.name)
