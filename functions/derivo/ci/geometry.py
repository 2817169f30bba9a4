"""Readers of geometry: the sizes, windows and forms of CI 4.1 and 4.2."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

from derivo.ci import limits, texts
from derivo.ci.printer import geometry
from derivo.ci.tree import Crop, Cut, RatioCrop, SmartCrop, Thumbnail
from derivo.ci.values import (
    AREA,
    BAD,
    CUT_OFFSET,
    HEIGHT,
    PERCENT,
    WIDTH,
    Range,
    Reader,
    Scan,
    Token,
    number,
    numeral,
    parts_of,
)

_SIGNS = {">": "shrink", "<": "enlarge", "!": "force"}


def thumbnail(scan: Scan, label: str, token: Token) -> Any:
    """A geometry, in one of the eleven forms of CI 4.1."""
    form, numbers = _form(token.text)
    fields = _FIELDS.get(form, ())
    if len(numbers) != len(fields) or not all(numeral(each) for each in numbers):
        message = f"{label} {texts.quoted(token.text)} is no geometry such as 200x, x200, 200x200> or !50p"
        scan.say("CI106", message, token, _nearest_geometry(token.text))
        return BAD
    bounds = {"width": WIDTH, "height": HEIGHT, "amount": AREA if form == "area" else PERCENT}
    names = {"amount": "area" if form == "area" else "percent"}
    mend = _clamped(form, fields, numbers)
    values = {
        field: number(scan, f"{label} {names.get(field, field)}", part, bounds[field], lambda _: mend)
        for field, part in zip(fields, parts_of(token, numbers))
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


def _clamped(form: str, fields: tuple[str, ...], numbers: list[str]) -> str:
    """The geometry with each number inside its range; a side of 0 beside a real one is left free: as large as can be
    where `>` or `<` keeps the form (CI 4.1 has no `200x>`), else not named."""
    values = [int(each) if len(each) <= 10 else 10**9 for each in numbers]
    free = len(values) == 2 and 0 in values and max(values) > 0
    if free and form in ("shrink", "enlarge"):
        values = [value or limits.CLAMP for value in values]
    elif free:
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
    if bare[-1:] in ("%", "p") and numeral(bare[:-1]):
        guesses.append(f"!{bare[:-1]}p")
    if numeral(bare):
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
    if len(numbers) != len(_FIELDS.get(form, ())) or not all(numeral(each) for each in numbers):
        return False
    return thumbnail(trial, "", Token(guess, 0, len(guess))) is not BAD and not trial.problems


def _numbers(
    scan: Scan, label: str, token: Token, counts: tuple[int, ...], bounds: tuple[tuple[str, Range], ...]
) -> Any:
    """Whole numbers joined by `x`, as many as one of `counts`; BAD when they are not that."""
    numbers = token.text.split("x")
    if len(numbers) not in counts or not all(numeral(each) for each in numbers):
        form = " or ".join("x".join("WHXY"[:count]) for count in counts)
        guess = token.text.replace("X", "x").replace("*", "x").replace("×", "x")
        valid = guess.count("x") + 1 in counts and all(numeral(each) for each in guess.split("x"))
        scan.say("CI106", f"{label} {texts.quoted(token.text)} is not {form}", token, guess if valid else None)
        return BAD
    mended = "x".join(str(each[1].mended(int(part[:10]))) for part, each in zip(numbers, bounds))
    values = [
        number(scan, f"{label} {name}", part, each, lambda _: mended)
        for part, (name, each) in zip(parts_of(token, numbers), bounds)
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
    if form in ("width", "height") and numeral(numbers[0]):
        bounds = WIDTH if form == "width" else HEIGHT
        part = parts_of(token, numbers)[0]
        value = number(scan, f"{label} {form}", part, bounds, lambda n: f"{n}x" if form == "width" else f"x{n}")
        return BAD if value is BAD else Crop(**{form: value})
    values = _numbers(scan, label, token, (2,), _SIDES)
    return BAD if values is BAD else Crop(*values)
