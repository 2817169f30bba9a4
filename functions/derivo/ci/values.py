"""Readers of single values: each takes the text of one segment and gives a value, or says what is wrong with it.

A reader gives BAD when no value could be made; a number outside its range is reported and kept as written. Ranges and
forms are those of the reference, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Callable, NamedTuple, Optional, Union

from derivo.ci import limits, texts
from derivo.ci.printer import decimal, geometry
from derivo.ci.problems import Problem, Span, SpanPath, problem
from derivo.ci.tree import Blur, Color, Crop, Cut, Node, Quality, RatioCrop, SizeLimit, SmartCrop, Thumbnail


class Token(NamedTuple):
    """What stands between two slashes or bars: offsets are those of the rule's text."""

    text: str
    start: int
    end: int


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


def whole(bounds: Range) -> Reader:
    """A whole number within a range."""

    def read(scan: Scan, label: str, token: Token) -> Any:
        return number(scan, label, token, bounds)

    return read


def word(known: Collection[str], *, any_case: bool = False) -> Reader:
    """One of the known words."""

    def read(scan: Scan, label: str, token: Token) -> Any:
        text = token.text.lower() if any_case else token.text
        if text in known:
            return text
        message = f"{label} {texts.quoted(token.text)} is not one of {', '.join(known)}"
        scan.say("CI107", message, token, texts.nearest(token.text, known))
        return BAD

    return read


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


def version(scan: Scan, label: str, token: Token) -> Any:
    """`<x>.<y>`, one digit each."""
    return word(("1.0", "2.0", "3.0"))(scan, label, token)


# --- values made of several numbers -----------------------------------------------------------------------------------

_SIGNS = {">": "shrink", "<": "enlarge", "!": "force"}


def thumbnail(scan: Scan, label: str, token: Token) -> Any:
    """A geometry, in one of the eleven forms of CI 4.1."""
    form, numbers = _form(token.text)
    fields = _FIELDS.get(form, ())
    if len(numbers) != len(fields) or not all(_numeral(each) for each in numbers):
        message = f"{label} {texts.quoted(token.text)} is no geometry such as 200x, x200, 200x200> or !50p"
        scan.say("CI106", message, token, _nearest_geometry(token.text))
        return BAD
    bounds = {"width": WIDTH, "height": HEIGHT, "amount": AREA if form == "area" else PERCENT}
    names = {"amount": "area" if form == "area" else "percent"}
    mend = _clamped(form, fields, numbers)
    values = {
        field: number(scan, f"{label} {names.get(field, field)}", part, bounds[field], lambda _: mend)
        for field, part in zip(fields, _parts(token, numbers))
    }
    return BAD if BAD in values.values() else Thumbnail(form, **values)


_FIELDS: dict[str, tuple[str, ...]] = {
    "percent": ("amount",),
    "percent-width": ("amount",),
    "percent-height": ("amount",),
    "area": ("amount",),
    "width": ("width",),
    "height": ("height",),
    **dict.fromkeys(("fit", "shrink", "enlarge", "force", "cover"), ("width", "height")),
}


def _form(value: str) -> tuple[str, list[str]]:
    """The form that a geometry's signs tell, and the texts of its numbers."""
    if value.startswith("!"):
        if value.endswith("px"):
            return "percent-width", [value[1:-2]]
        if value.startswith("!x") and value.endswith("p"):
            return "percent-height", [value[2:-1]]
        if value.endswith("p"):
            return "percent", [value[1:-1]]
        return ("cover" if value.endswith("r") else ""), value[1:-1].split("x")
    if value.endswith("@"):
        return "area", [value[:-1]]
    if value[-1:] in _SIGNS:
        return _SIGNS[value[-1]], value[:-1].split("x")
    if value.endswith("x"):
        return "width", [value[:-1]]
    if value.startswith("x"):
        return "height", [value[1:]]
    return "fit", value.split("x")


def _numeral(text: str) -> bool:
    digits = text[1:] if text.startswith("-") else text
    return digits.isascii() and digits.isdigit()


def _parts(token: Token, numbers: list[str]) -> list[Token]:
    """Where each number stands inside the segment."""
    parts = []
    at = 0
    for each in numbers:
        at = token.text.index(each, at)
        parts.append(Token(each, token.start + at, token.start + at + len(each)))
        at += len(each)
    return parts


def _clamped(form: str, fields: tuple[str, ...], numbers: list[str]) -> str:
    """The geometry with each number inside its range; a side of 0 beside a real one is left free."""
    values = [int(each) if len(each) <= 10 else 10**9 for each in numbers]
    if len(values) == 2 and 0 in values and max(values) > 0:
        form, fields = ("height", ("height",)) if values[0] == 0 else ("width", ("width",))
        values = [max(values)]
    high = AREA if form == "area" else PERCENT if fields == ("amount",) else WIDTH
    return geometry(Thumbnail(form, **{field: high.mended(value) for field, value in zip(fields, values)}))


def _nearest_geometry(value: str) -> Optional[str]:
    """What was probably meant: `200` is `200x`, `200*300` and `200X300` are `200x300`, `50%` is `!50p`."""
    body = texts.unquoted(value).replace("X", "x").replace("*", "x").replace("×", "x").replace(",", "x")
    bare = body.strip("!<>r")
    sign = body[-1:] if body[-1:] in _SIGNS else ""
    guesses = [body]
    if bare[-1:] in ("%", "p") and _numeral(bare[:-1]):
        guesses.append(f"!{bare[:-1]}p")
    if _numeral(bare):
        guesses.append(f"!{bare}p" if body.startswith("!") else f"{bare}x")
    if sign in ("<", ">") and bare.endswith("x"):
        guesses.append(f"{bare}{limits.CLAMP}{sign}")
    if sign in ("<", ">") and bare.startswith("x"):
        guesses.append(f"{limits.CLAMP}{bare}{sign}")
    guesses.append(bare)
    for guess in guesses:
        trial = Scan()
        if guess != value and len(guess) <= 40 and _valid_geometry(trial, guess):
            return guess
    return None


def _valid_geometry(trial: Scan, guess: str) -> bool:
    form, numbers = _form(guess)
    if len(numbers) != len(_FIELDS.get(form, ())) or not all(_numeral(each) for each in numbers):
        return False
    return thumbnail(trial, "", Token(guess, 0, len(guess))) is not BAD and not trial.problems


def _numbers(
    scan: Scan, label: str, token: Token, counts: tuple[int, ...], bounds: tuple[tuple[str, Range], ...]
) -> Any:
    """Whole numbers joined by `x`, as many as one of `counts`; BAD when they are not that."""
    numbers = token.text.split("x")
    if len(numbers) not in counts or not all(_numeral(each) for each in numbers):
        form = " or ".join("x".join("WHXY"[:count]) for count in counts)
        guess = token.text.replace("X", "x").replace("*", "x").replace("×", "x")
        valid = guess.count("x") + 1 in counts and all(_numeral(each) for each in guess.split("x"))
        scan.say("CI106", f"{label} {texts.quoted(token.text)} is not {form}", token, guess if valid else None)
        return BAD
    mended = "x".join(str(each[1].mended(int(part[:10]))) for part, each in zip(numbers, bounds))
    values = [
        number(scan, f"{label} {name}", part, each, lambda _: mended)
        for part, (name, each) in zip(_parts(token, numbers), bounds)
    ]
    return BAD if BAD in values else values


_SIDES = (("width", WIDTH), ("height", HEIGHT))


def sides(make: Callable[[int, int], Union[SmartCrop, RatioCrop]]) -> Reader:
    """`WxH`."""

    def read(scan: Scan, label: str, token: Token) -> Any:
        values = _numbers(scan, label, token, (2,), _SIDES)
        return BAD if values is BAD else make(*values)

    return read


def cut(scan: Scan, label: str, token: Token) -> Any:
    """`WxH` or `WxHxDXxDY` (CI 4.2: official examples have either)."""
    values = _numbers(scan, label, token, (2, 4), (*_SIDES, ("dx", CUT_OFFSET), ("dy", CUT_OFFSET)))
    return BAD if values is BAD else Cut(*values)


def crop(scan: Scan, label: str, token: Token) -> Any:
    """`WxH`, `Wx` or `xH`."""
    form, numbers = _form(token.text)
    if form in ("width", "height") and _numeral(numbers[0]):
        bounds = WIDTH if form == "width" else HEIGHT
        part = _parts(token, numbers)[0]
        value = number(scan, f"{label} {form}", part, bounds, lambda n: f"{n}x" if form == "width" else f"x{n}")
        return BAD if value is BAD else Crop(**{form: value})
    values = _numbers(scan, label, token, (2,), _SIDES)
    return BAD if values is BAD else Crop(*values)


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
    at, after = _parts(token, parts)
    if not 1 <= radius <= 50:
        scan.say("CI210", f"{label} radius {at.text} is outside 1..50", at, mend)
    if sigma == 0:
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
    if unit not in ("k", "m") or not _numeral(body[:-1]):
        lower = token.text.lower()
        valid = lower != token.text and _numeral(lower.rstrip("!")[:-1]) and lower.rstrip("!")[-1:] in ("k", "m")
        message = f"{label} {texts.quoted(token.text)} is not a size such as 15k, 15k! or 2m"
        scan.say("CI106", message, token, lower if valid else None)
        return BAD
    most = limits.RESULT_BYTES // (limits.KIB if unit == "k" else limits.MIB)
    part = Token(body[:-1], token.start, token.start + len(body) - 1)
    end = unit + ("!" if smaller else "")
    amount = number(scan, label, part, Range(1, most, "CI211"), lambda n: f"{n}{end}")
    return BAD if amount is BAD else SizeLimit(amount, unit, smaller)


def as_node(make: Callable[[Any], Node], read: Reader) -> Reader:
    """The node that holds what the reader gives."""

    def read_node(scan: Scan, label: str, token: Token) -> Any:
        value = read(scan, label, token)
        return BAD if value is BAD else make(value)

    return read_node


def canvas(scan: Scan, label: str, token: Token) -> Any:
    """The colour of the pad's canvas."""
    return as_node(Color, colour)(scan, label, token)
