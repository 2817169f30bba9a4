"""What is wrong, or unwise, in a processing rule, and where inside its text.

Codes are stable and grouped: CI1xx the text is not in the language, CI2xx a value is outside its range, CI3xx parts
that contradict one another, CI4xx what a persistent rule cannot do, CI5xx warnings, CI6xx faults of `steps`. `CODES`
lists them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, Union

import msgspec

from derivo.ci.tree import Rule

ERROR = "error"
WARNING = "warning"

SpanPath = tuple[Union[int, str], ...]
"""`(stage,)` or `(stage, operation or parameter name)`; stages count from 0."""

Span = tuple[int, int]


class Code(msgspec.Struct, frozen=True):
    """One kind of finding: what docs and tests list."""

    code: str
    level: str
    summary: str


def _codes(level: str, *rows: tuple[str, str]) -> tuple[Code, ...]:
    return tuple(Code(code, level, summary) for code, summary in rows)


CODES: tuple[Code, ...] = (
    *_codes(
        ERROR,
        ("CI101", "the rule, or a stage of it, is empty"),
        ("CI102", "a blank or control character stands inside the rule"),
        ("CI103", "the stage is none that CI has"),
        ("CI104", "the operation or parameter is none that this stage has"),
        ("CI105", "an operation lacks its value"),
        ("CI106", "the value does not have the form its operation asks for"),
        ("CI107", "the value is not one of the words allowed"),
        ("CI108", "the value is not base64"),
        ("CI109", "text that is not valid Unicode (UTF-8)"),
        ("CI110", "an operation stands twice in one stage"),
        ("CI111", "nothing stands between two slashes"),
        ("CI112", "too many stages"),
        ("CI113", "the stage does nothing"),
        ("CI114", "a parameter that the stage cannot do without is missing"),
        ("CI115", "the colour is not #RRGGBB"),
        ("CI116", "text where the stage or operation takes none"),
        ("CI117", "the rule is too long"),
        ("CI201", "a percentage is outside its range"),
        ("CI202", "a width is outside its range"),
        ("CI203", "a height is outside its range"),
        ("CI204", "an area is outside its range"),
        ("CI205", "an offset is outside its range"),
        ("CI206", "a radius is outside its range"),
        ("CI207", "an angle is outside its range"),
        ("CI208", "a quality is outside its range"),
        ("CI209", "a number of frames is outside its range"),
        ("CI210", "the strength of a filter is outside its range"),
        ("CI211", "a size in bytes is outside its range"),
        ("CI212", "a watermark's parameter is outside its range"),
        ("CI301", "iradius, rradius or blur with an animated image"),
        ("CI302", "format/svgc on what is not an svg, or beside another operation"),
        ("CI303", "frame beside cgif or egif"),
        ("CI304", "pad without a WxH thumbnail"),
        ("CI305", "color without pad/1"),
        ("CI306", "gravity, dx or dy without crop or cut"),
        ("CI307", "size-limit with an output that is not jpg"),
        ("CI308", "the mark's image is no http:// address"),
        ("CI309", "a watermark's parameter without the one it needs, or with one that replaces it"),
        ("CI310", "a blind watermark's text is outside what its version can hold"),
        ("CI311", "AIGCMetadata with an output that cannot hold it"),
        ("CI312", "a conversion that CI does not offer"),
        ("CI401", "frame works on download only"),
        ("CI402", "the output format is for downloads only"),
        ("CI403", "ignore-error/1 would store the unprocessed source as the derivative"),
        ("CI404", "a query for information is no processing rule"),
        ("CI405", "what works in persistent processing only, on download"),
    ),
    *_codes(
        WARNING,
        ("CI501", "the orientation in EXIF may be lost"),
        ("CI502", "the key's extension contradicts the output format"),
        ("CI503", "a small source would be enlarged"),
        ("CI504", "transparency would be lost in a jpg"),
        ("CI505", "a feature that must be activated on the bucket, and costs extra"),
        ("CI506", "an animation may become a still image"),
        ("CI507", "cgif/1 keeps 30 frames"),
        ("CI508", "an operation has no effect here"),
        ("CI509", "a saved style inside a pipeline is not documented"),
        ("CI510", "size-limit is documented for downloads only"),
        ("CI511", "the result depends on the order inside one stage, which is not documented"),
        ("CI512", "several qualities in one stage: which one wins is not documented"),
        ("CI513", "an operation that does not work with some of the sources"),
    ),
    *_codes(
        ERROR,
        ("CI601", "steps are not a list of one or more steps"),
        ("CI602", "there is no such step, or no such member of a step"),
        ("CI603", "a step's value has the wrong type"),
        ("CI604", "a step lacks a member it needs"),
        ("CI605", "members of a step, or steps, exclude one another"),
        ("CI606", "the steps need more stages than CI allows"),
    ),
)

LEVELS: Mapping[str, str] = {row.code: row.level for row in CODES}


class Problem(msgspec.Struct, frozen=True):
    """One finding about a processing rule.

    `code` is stable (`CI203`); `start` and `end` are character offsets inside the rule's text. `mend`, where there is
    one, is the nearest valid form of what lies between the slashes or bars around them.
    `tolerated` marks what CI itself would accept though it does not do what is written (e.g. a width above 10000,
    which it clamps): the linter reports it, coslocal does as CI does.
    """

    code: str
    level: str
    message: str
    start: int
    end: int
    mend: Optional[str] = None
    tolerated: bool = False


def problem(
    code: str, message: str, span: Span = (0, 0), mend: Optional[str] = None, tolerated: bool = False
) -> Problem:
    """A Problem whose level is that of its code."""
    return Problem(code, LEVELS[code], message, span[0], span[1], mend, tolerated)


class Parsed(msgspec.Struct, frozen=True):
    """The outcome of parsing: `rule` is None only where no tree could be made.

    A value outside its range is kept in the tree as written, beside its problem. `spans` tells where each stage and
    each operation or parameter stands in the text.
    """

    rule: Optional[Rule]
    problems: tuple[Problem, ...] = ()
    spans: Mapping[SpanPath, Span] = msgspec.field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.level == ERROR)

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The errors for which CI would refuse the request."""
        return tuple(p for p in self.errors if not p.tolerated)
