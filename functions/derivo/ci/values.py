"""Readers of single values: each takes the text of one segment and gives a value, or says what is wrong with it.

A reader gives BAD when no value could be made; a number outside its range is reported and kept as written. Ranges and
forms are those of the reference, sections 4 and 5.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional, Union

import msgspec

from derivo.ci import limits, texts
from derivo.ci.printer import decimal
from derivo.ci.problems import Problem, Span, SpanPath, problem
from derivo.ci.tree import Blur, Node, Quality, SizeLimit


class Token(NamedTuple):
    """What stands between two slashes or bars: offsets are those of the rule's text."""

    text: str
    start: int
    end: int


MAX_PROBLEMS = 50
"""Of a text with more faults than this the rest is not told: it is no rule at all."""


class Scan:
    """What parsing a rule has found so far. `broken`: some part gave no value, so there will be no tree."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.spans: dict[SpanPath, Span] = {}
        self.broken = False

    def say(
        self,
        code: str,
        message: str,
        where: Union[Token, Span],
        mend: Optional[str] = None,
        *,
        tolerated: bool = False,
    ) -> None:
        span = where[-2:] if isinstance(where, Token) else where
        self.problems.append(problem(code, message, span, mend, tolerated))
        if code < "CI2" or code == "CI404":
            self.broken = True


BAD: Any = object()
"""No value could be made; what is wrong has been said."""

Reader = Callable[[Scan, str, Token], Any]
"""(scan, label for messages, the segment) -> the value, or BAD."""


class Range(NamedTuple):
    """`instead` tells what CI does with a value outside, where it does not refuse it; `clamps`: only above `high`."""

    low: int
    high: int
    code: str
    instead: str = ""
    clamps: bool = False

    def mended(self, value: int) -> int:
        return max(self.low, min(self.high, value))


class Between(NamedTuple):
    """A number with at most four decimals, inclusive at both ends."""

    low: float
    high: float


_CLAMPED = f"CI takes it as {limits.CLAMP}"
_UNSCALED = "CI does not scale at all then"

WIDTH = Range(1, limits.CLAMP, "CI202", _CLAMPED, clamps=True)
HEIGHT = Range(1, limits.CLAMP, "CI203", _CLAMPED, clamps=True)
PERCENT = Range(1, 1000, "CI201", _UNSCALED)
AREA = Range(1, limits.PIXELS, "CI204")
OFFSET = Range(-limits.SIDE, limits.SIDE, "CI205")
CUT_OFFSET = Range(0, limits.SIDE, "CI205")
RADIUS = Range(1, limits.SIDE // 2 - 1, "CI206")
ANGLE = Range(0, 360, "CI207")
QUALITY = Range(0, 100, "CI208")
BLUR_RADIUS = Between(1, 50)
BLUR_SIGMA = Between(0.0001, 999_999.9999)


def number(scan: Scan, label: str, token: Token, bounds: Range, mend: Callable[[int], str] = str) -> Any:
    """A whole number. `mend` gives the segment's text for a value within the range."""
    digits = token.text[1:] if token.text.startswith("-") else token.text
    if not (digits.isascii() and digits.isdigit()):
        scan.say("CI106", f"{label} {texts.quoted(token.text)} is not a whole number", token)
        return BAD
    # No honest value has ten digits, and reading a very long number takes very long.
    if len(digits.lstrip("0")) > 9:
        scan.say("CI106", f"{label} {texts.quoted(token.text)} has too many digits", token, mend(bounds.high))
        return BAD
    value = int(token.text)
    if not bounds.low <= value <= bounds.high:
        tolerated = bool(bounds.instead) and (value > bounds.high or not bounds.clamps)
        then = f"; {bounds.instead}" if tolerated else ""
        message = f"{label} {value} is outside {bounds.low}..{bounds.high}{then}"
        scan.say(bounds.code, message, token, mend(bounds.mended(value)), tolerated=tolerated)
    return value


class Whole(msgspec.Struct, frozen=True):
    """Reads a whole number within a range."""

    bounds: Range

    def __call__(self, scan: Scan, label: str, token: Token) -> Any:
        return number(scan, label, token, self.bounds)


class Word(msgspec.Struct, frozen=True):
    """Reads one of the known words."""

    known: tuple[str, ...]
    any_case: bool = False

    def __call__(self, scan: Scan, label: str, token: Token) -> Any:
        text = token.text.lower() if self.any_case else token.text
        if text in self.known:
            return text
        message = f"{label} {texts.quoted(token.text)} is not one of {', '.join(self.known)}"
        scan.say("CI107", message, token, texts.nearest(token.text, self.known))
        return BAD


class Decimals(msgspec.Struct, frozen=True):
    """Reads a number with at most four decimals within a range."""

    bounds: Between
    code: str

    def __call__(self, scan: Scan, label: str, token: Token) -> Any:
        value = _decimal(token.text)
        if value is None:
            scan.say("CI106", f"{label} {token.text} is not a number from 0 with at most four decimals", token)
            return BAD
        low, high = self.bounds
        if not low <= value <= high:
            mend = decimal(max(low, min(high, value)))
            scan.say(self.code, f"{label} {token.text} is outside {decimal(low)}..{decimal(high)}", token, mend)
        return value


def choice(*numbers: int) -> Reader:
    """One of a few numbers."""
    by_text = {str(each): each for each in numbers}

    def read(scan: Scan, label: str, token: Token) -> Any:
        value = by_text.get(token.text, BAD)
        if value is BAD:
            scan.say("CI107", f"{label} {texts.quoted(token.text)} is not one of {', '.join(by_text)}", token)
        return value

    return read


def switch(scan: Scan, label: str, token: Token) -> Any:
    """0 or 1, as a bool."""
    value = choice(0, 1)(scan, label, token)
    return BAD if value is BAD else value == 1


def text(scan: Scan, label: str, token: Token) -> Any:
    """A text in base64."""
    try:
        return texts.decode(token.text)
    except texts.NotBase64:
        message = f"{label} {texts.quoted(token.text)} is not base64; texts are written in URL-safe base64"
        scan.say("CI108", message, token, texts.encode(token.text))
    except UnicodeDecodeError:
        scan.say("CI109", f"{label} {texts.quoted(token.text)} is base64, but of bytes that are not UTF-8", token)
    return BAD


def colour(scan: Scan, label: str, token: Token) -> Any:
    """`#RRGGBB` in base64, as upper case."""
    if texts.nearest_colour(token.text):
        found: Optional[str] = None
        meant, shown = texts.nearest_colour(token.text), token.text
    else:
        shown = text(scan, label, token)
        if shown is BAD:
            return BAD
        found, meant = texts.colour(shown), texts.nearest_colour(shown)
    if found is None:
        message = f"{label} {texts.quoted(shown)} is not the base64 of #RRGGBB"
        scan.say("CI115", message, token, texts.encode(meant) if meant else None)
        return BAD
    return found


def quality(scan: Scan, label: str, token: Token) -> Any:
    """`<q>[!]`."""
    forced = token.text.endswith("!")
    digits = Token(token.text[:-1], token.start, token.end - 1) if forced else token
    value = number(scan, label, digits, QUALITY, lambda q: f"{q}!" if forced else str(q))
    return BAD if value is BAD else Quality(value, forced)


# --- values of several parts ------------------------------------------------------------------------------------------


def numeral(text: str) -> bool:
    """Whether the text is a whole number, negative or not."""
    digits = text[1:] if text.startswith("-") else text
    return digits.isascii() and digits.isdigit()


def parts_of(token: Token, texts_: list[str]) -> list[Token]:
    """Where each text, in order, stands inside the segment."""
    parts = []
    at = 0
    for each in texts_:
        at = token.text.index(each, at)
        parts.append(Token(each, token.start + at, token.start + at + len(each)))
        at += len(each)
    return parts


def blur(scan: Scan, label: str, token: Token) -> Any:
    """`<radius>x<sigma>`, with at most four decimals."""
    parts = token.text.split("x")
    values = [_decimal(part) for part in parts]
    if len(values) != 2 or None in values:
        form = f"{label} {texts.quoted(token.text)} is not RADIUSxSIGMA, with at most four decimals each"
        scan.say("CI106", form, token, f"{parts[0]}x1" if len(values) == 1 and values[0] else None)
        return BAD
    radius, sigma = float(values[0] or 0), float(values[1] or 0)
    mend = f"{decimal(max(1.0, min(50.0, radius)))}x{decimal(max(0.1, sigma) if sigma == 0 else sigma)}"
    at, after = parts_of(token, parts)
    if not BLUR_RADIUS.low <= radius <= BLUR_RADIUS.high:
        scan.say("CI210", f"{label} radius {at.text} is outside 1..50", at, mend)
    if sigma < BLUR_SIGMA.low:
        scan.say("CI210", f"{label} sigma {after.text} is not above 0", after, mend)
    return Blur(radius, sigma)


def _decimal(text: str) -> Optional[float]:
    whole_part, dot, fraction = text.partition(".")
    digits = whole_part + fraction
    short = len(whole_part) <= 6 and len(fraction) <= 4
    if short and whole_part and bool(dot) == bool(fraction) and digits.isascii() and digits.isdigit():
        return float(text)
    return None


def size_limit(scan: Scan, label: str, token: Token) -> Any:
    """`<n>k` or `<n>m`, with `!` after it or not."""
    smaller = token.text.endswith("!")
    body = token.text[:-1] if smaller else token.text
    unit = body[-1:]
    if unit not in ("k", "m") or not numeral(body[:-1]):
        lower = token.text.lower()
        valid = lower != token.text and numeral(lower.rstrip("!")[:-1]) and lower.rstrip("!")[-1:] in ("k", "m")
        message = f"{label} {texts.quoted(token.text)} is not a size such as 15k, 15k! or 2m"
        scan.say("CI106", message, token, lower if valid else None)
        return BAD
    most = limits.RESULT_BYTES // (limits.KIB if unit == "k" else limits.MIB)
    part = Token(body[:-1], token.start, token.start + len(body) - 1)
    end = unit + ("!" if smaller else "")
    amount = number(scan, label, part, Range(1, most, "CI211"), lambda n: f"{n}{end}")
    return BAD if amount is BAD else SizeLimit(amount, unit, smaller)


class AsNode(msgspec.Struct, frozen=True):
    """Reads what another reader reads, and gives the node that holds it."""

    make: Callable[[Any], Node]
    read: Reader

    def __call__(self, scan: Scan, label: str, token: Token) -> Any:
        value = self.read(scan, label, token)
        return BAD if value is BAD else self.make(value)
