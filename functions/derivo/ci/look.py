"""What a check may look at: the rule, what is known of its sources, and the formats that pass from stage to stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from derivo.ci import formats
from derivo.ci.problems import SpanPath
from derivo.ci.tree import (
    BlindExtract,
    CiProcess,
    Format,
    ImageMogr2,
    ImageView2,
    MogrOp,
    Rule,
    Stage,
    Style,
)

Formats = Optional[frozenset[str]]
"""The formats an image may have at some point; None: it may have any."""


class Finding(NamedTuple):
    """A problem before its place in a text is known: `path` names the stage and the operation."""

    path: SpanPath
    code: str
    message: str
    mend: Optional[str] = None
    tolerated: bool = False


class Ops(NamedTuple):
    """The operations of one imageMogr2 stage, by name and by class."""

    stage: int
    by_class: dict[type, MogrOp]
    order: list[type]

    def path(self, name: str) -> SpanPath:
        return (self.stage, name)


class Look:
    """A rule and what is known of its surroundings. `formats[i]` enter stage i, `formats[-1]` leave the last."""

    def __init__(
        self,
        rule: Rule,
        *,
        key_extension: Optional[str],
        source_suffixes: Optional[tuple[str, ...]],
        keep_original_on_error: bool,
        persistent: bool,
    ) -> None:
        self.rule = rule
        self.key_extension = key_extension
        self.keep_original_on_error = keep_original_on_error
        self.persistent = persistent
        self.formats = [_sources(source_suffixes)]
        for stage in rule.stages:
            self.formats.append(_after(stage, self.formats[-1]))

    @property
    def sources(self) -> Formats:
        return self.formats[0]

    @property
    def result(self) -> Formats:
        return self.formats[-1]

    def mogr(self) -> Iterator[Ops]:
        for index, stage in enumerate(self.rule.stages):
            if isinstance(stage, ImageMogr2):
                yield Ops(index, {type(op): op for op in stage.ops}, [type(op) for op in stage.ops])

    def conversions(self) -> Iterator[tuple[SpanPath, str]]:
        """Each `format/` with the family it converts to."""
        for index, stage in enumerate(self.rule.stages):
            name = _converted(stage)
            if name is not None:
                yield (index, "format"), formats.family(name)


def _sources(suffixes: Optional[tuple[str, ...]]) -> Formats:
    if suffixes is None:
        return None
    found = [formats.of_extension(suffix) for suffix in suffixes]
    known = frozenset(each for each in found if each is not None)
    return known if len(known) == len(frozenset(found)) else None


def _converted(stage: Stage) -> Optional[str]:
    if isinstance(stage, ImageView2):
        return stage.format
    if isinstance(stage, ImageMogr2):
        return next((op.name for op in stage.ops if isinstance(op, Format)), None)
    return None


def _after(stage: Stage, before: Formats) -> Formats:
    name = _converted(stage)
    if name is not None:
        return frozenset({formats.family(name)})
    return None if isinstance(stage, (Style, CiProcess, BlindExtract)) else before


def listed(names: frozenset[str]) -> str:
    """Formats for a message."""
    return ", ".join(sorted(names))
