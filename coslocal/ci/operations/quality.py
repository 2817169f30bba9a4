"""quality, rquality, lquality: how well a lossy result is kept (CI 4.8)."""

from __future__ import annotations

from coslocal.ci.work import Output
from derivo.ci.tree import LowestQuality, Quality, RelativeQuality

LOSSY = ("jpeg", "webp", "avif")


def effective(
    source: int,
    quality: Quality | None,
    relative: RelativeQuality | None,
    lowest: LowestQuality | None,
    combination: str = "smaller-then-floor",
) -> int:
    """0..100 from the source's own quality.

    quality is min(source, q), or q with `!`; rquality is r per cent of the source; of both, the smaller; lquality is a
    floor under either. With the combination `quality-wins` the other two do nothing beside quality (CI 11, 18).
    """
    if quality is not None and quality.forced:
        return quality.value
    if quality is not None and combination == "quality-wins":
        return min(source, quality.value)
    found = source
    if quality is not None:
        found = min(found, quality.value)
    if relative is not None:
        found = min(found, (source * relative.value + 50) // 100)
    if lowest is not None:
        found = max(found, lowest.value)
    return found


def of_output(source: int, output: Output, combination: str = "smaller-then-floor") -> int:
    """The quality to write with: 100 for formats without one."""
    if output.format not in LOSSY:
        return 100
    return max(1, effective(source, output.quality, output.relative_quality, output.lowest_quality, combination))
