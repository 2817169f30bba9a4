"""Runs a processing rule: stages left to right on one picture in memory, one decode, one encode (CI 4.11)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from coslocal.ci import errors, segment
from coslocal.ci.operations import slim, view, watermark_image, watermark_text
from coslocal.ci.pixels import PixelError
from coslocal.ci.source import check_limits, examine, explain_failure
from coslocal.ci.types import Rendered, Surroundings
from coslocal.ci.work import Output, Work
from coslocal.ci.writing import finish
from derivo.ci import parse, tree

_log = logging.getLogger("coslocal.ci")

STAGES: dict[type[Any], Callable[[Work, Any], None]] = {
    tree.ImageMogr2: segment.run,
    tree.ImageView2: view.apply,
    tree.ImageWatermark: watermark_image.apply,
    tree.TextWatermark: watermark_text.apply,
    tree.ImageSlim: slim.apply,
}
NOT_OFFERED: dict[type[Any], str] = {
    tree.BlindWatermark: "blind watermarks (watermark/3)",
    tree.BlindExtract: "reading blind watermarks (watermark/4)",
    tree.QrCode: "QRcode",
    tree.CiProcess: "ci-process (the AI family)",
}


def execute(data: bytes, rule: tree.Rule, surroundings: Surroundings) -> Rendered:
    """The result of a rule on an image. Raises ImageError."""
    stages = list(expand(rule, surroundings))
    for stage in stages:
        if type(stage) in NOT_OFFERED:
            what = NOT_OFFERED[type(stage)]
            _log.warning("not offered by coslocal: %s", what)
            raise errors.invalid_rule(f"coslocal does not offer {what}")
    source = examine(data, surroundings.dialects)
    try:
        work = Work(source, source.open(), Output(source.format), surroundings)
        for stage in stages:
            STAGES[type(stage)](work, stage)
            check_limits(work.picture.width, work.picture.height, len(work.picture.frames))
        return finish(work)
    except PixelError as error:
        raise explain_failure(source, error) from None


def expand(rule: tree.Rule, surroundings: Surroundings, nested: bool = False) -> Iterator[tree.Stage]:
    """The stages of a rule with saved styles put in their place; a style may not name another style."""
    alone = surroundings.persistent and surroundings.dialects["style-in-pipeline"] == "refuse"
    if alone and len(rule.stages) > 1 and any(isinstance(stage, tree.Style) for stage in rule.stages):
        raise errors.invalid_rule("a style may not be a stage of a pipeline")
    for stage in rule.stages:
        if not isinstance(stage, tree.Style):
            yield stage
            continue
        text = surroundings.style(stage.name)
        if text is None:
            raise errors.unknown_style(stage.name)
        if nested:
            raise errors.invalid_rule(f"a style may not use another style ({stage.name!r})")
        yield from expand(read(text, f"style {stage.name!r}: "), surroundings, nested=True)


def read(text: str, where: str = "") -> tree.Rule:
    """The tree of a rule's text. Raises ImageError with the first thing CI would not take."""
    parsed = parse(text)
    if parsed.refused or parsed.rule is None:
        first = (parsed.refused or parsed.errors)[0]
        raise errors.invalid_rule(f"{where}{first.message} (at character {first.start + 1})")
    return parsed.rule
