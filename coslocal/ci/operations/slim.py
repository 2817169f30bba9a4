"""imageSlim: the same format, smaller, or the original (CI 6; how CI compresses is undocumented).

Here jpeg is written at quality 75 at most, png with a palette, gif afresh, all without metadata.
"""

from __future__ import annotations

from coslocal.ci import errors
from coslocal.ci.work import Work
from derivo.ci.tree import ImageSlim, Quality

FORMATS = ("jpeg", "png", "gif")


def apply(work: Work, op: ImageSlim) -> None:
    if work.output.format not in FORMATS:
        raise errors.bad_format(f"imageSlim is for jpg, png and gif, not for {work.output.format}")
    work.output.slim = work.output.strip = True
    work.output.quality = work.output.quality or Quality(75)
