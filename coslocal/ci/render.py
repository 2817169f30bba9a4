"""`render`: bytes and a processing rule in, a result image out."""

from __future__ import annotations

from dataclasses import replace

from coslocal.ci.errors import ignores
from coslocal.ci.execute import execute, read
from coslocal.ci.sniff import CONTENT_TYPES, sniff
from coslocal.ci.source import examine
from coslocal.ci.types import ImageError, Rendered, Surroundings


def render(data: bytes, rule_text: str, surroundings: Surroundings) -> Rendered:
    """The result of a rule, e.g. `imageMogr2/thumbnail/200x`.

    What CI tolerates is done as CI does it (a side above 10000 is taken as 10000, a per cent out of range is not
    processed). With `ignore-error/1` any failure gives the source back unchanged (CI 4.10). Raises ImageError.
    """
    try:
        return execute(data, read(rule_text), surroundings)
    except ImageError as error:
        if not ignores(rule_text, error, surroundings.dialects):
            raise
        return _unprocessed(data, f"ignore-error: {error.message}")


def _unprocessed(data: bytes, warning: str) -> Rendered:
    """The source as a result: what can be known of it without decoding, zeros for what is no image."""
    try:
        source = examine(data)
    except ImageError:
        format = sniff(data)
        nothing = Rendered(data=data, format=format, width=0, height=0, quality=0, frames=0, content_type="")
        return replace(nothing, content_type=CONTENT_TYPES.get(format, ""), warnings=(warning,))
    return Rendered(
        data=data,
        format=source.format,
        width=source.header.width,
        height=source.header.height,
        quality=source.quality,
        frames=source.header.frames,
        content_type=CONTENT_TYPES[source.format],
        warnings=(warning,),
    )
