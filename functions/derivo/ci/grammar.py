"""Parses a processing rule into its tree. All faults of a rule are found in one go, each with its place.

A rule is one to ten stages joined by `|` (CI 4.11); a stage is slash-separated segments: its name, then operations or
parameters with their values. `tables` says which. A trailing slash is let pass, as CI does (CI 4). Whatever the text,
`parse` gives an answer and raises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from derivo.ci import limits, texts
from derivo.ci.pairs import Pairs
from derivo.ci.problems import Parsed
from derivo.ci.tables import CI_PROCESSES, MOGR, QR, QUERIES, VIEW, WATERMARKS
from derivo.ci.tree import CiProcess, ImageMogr2, ImageSlim, ImageView2, QrCode, Rule, Stage, Style
from derivo.ci.values import MAX_PROBLEMS, Scan, Token, choice

_CI_PROCESS = "ci-process="


def parse(rule: str) -> Parsed:
    """The tree of a processing rule, and everything that is wrong with its text. Raises nothing.

    Blanks at the ends are let pass (CI 1.2); offsets count in `rule` as given. Conflicts between operations are not
    looked for here: see `checks.check`.
    """
    scan = Scan()
    if not _readable(scan, rule):
        return Parsed(None, tuple(scan.problems))
    written = _split(rule)
    if len(written) > limits.STAGES:
        message = f"{len(written)} stages are more than the {limits.STAGES} that CI allows"
        scan.say("CI112", message, (written[limits.STAGES][0].start, written[-1][-1].end))
    stages = []
    for index, tokens in enumerate(written[: limits.STAGES]):
        scan.spans[(index,)] = (tokens[0].start, tokens[-1].end)
        stages.append(_stage(scan, index, tokens))
    found = sorted(scan.problems, key=lambda each: (each.start, each.code))[:MAX_PROBLEMS]
    made = Rule(tuple(stage for stage in stages if stage is not None))
    return Parsed(None if scan.broken else made, tuple(found), scan.spans)


def _readable(scan: Scan, rule: str) -> bool:
    """Whether there is text to parse; blanks inside are reported, and parsing goes on without them."""
    body = rule.strip()
    start = len(rule) - len(rule.lstrip())
    if not body:
        scan.say("CI101", "the rule is empty", (0, len(rule)))
    elif len(body) > limits.RULE_CHARACTERS:
        message = f"the rule has {len(body)} characters, more than {limits.RULE_CHARACTERS}"
        scan.say("CI117", message, (start, start + len(body)))
    else:
        try:
            rule.encode()
        except UnicodeEncodeError as error:
            scan.say("CI109", "the rule holds half of a character (a lone surrogate)", (error.start, error.start + 1))
        else:
            return True
    return False


def _split(rule: str) -> list[list[Token]]:
    """Stages, each as its segments; a stage's one trailing slash is dropped."""
    at = len(rule) - len(rule.lstrip())
    stages = []
    for part in rule.strip().split("|"):
        tokens = []
        for segment in part.split("/"):
            tokens.append(Token(segment, at, at + len(segment)))
            at += len(segment) + 1
        if len(tokens) > 1 and not tokens[-1].text and not part.startswith(_CI_PROCESS):
            tokens.pop()
        stages.append(tokens)
    return stages


def _stage(scan: Scan, index: int, written: list[Token]) -> Optional[Stage]:
    tokens = [_without_blanks(scan, token) for token in written]
    name = tokens[0]
    if not name.text:
        scan.say("CI101", f"stage {index + 1} is empty", name)
        return None
    if name.text.startswith(_CI_PROCESS):
        return _ci_process(scan, index, tokens)
    read = STAGES.get(name.text)
    if read is not None:
        scan.spans[(index, name.text)] = (name.start, name.end)
        return read(scan, index, tokens)
    if name.text in QUERIES:
        scan.say("CI404", f"{name.text} is a query for information about an image, not a processing rule", name)
        return None
    mend = f"imageMogr2/{name.text}" if name.text in MOGR else texts.nearest(name.text, STAGES)
    message = f"CI has no {texts.quoted(name.text)}; a stage begins with one of {', '.join(STAGES)} or ci-process="
    scan.say("CI103", message, name, mend)
    return None


def _without_blanks(scan: Scan, token: Token) -> Token:
    """The segment without blanks and control characters, which are reported."""
    blanks = [at for at, each in enumerate(token.text) if each.isspace() or (not each.isprintable() and each < "\xa0")]
    if not blanks:
        return token
    text = "".join(each for at, each in enumerate(token.text) if at not in set(blanks))
    message = "a rule is one run of text: no blanks or control characters inside"
    scan.say("CI102", message, (token.start + blanks[0], token.start + blanks[-1] + 1), text or None)
    return Token(text, token.start, token.end)


def _is_blank(character: str) -> bool:
    return character.isspace() or character < " " or "\x7f" <= character < "\xa0"


# --- stages -----------------------------------------------------------------------------------------------------------


def _mogr(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    if len(tokens) == 1:
        scan.say("CI113", "imageMogr2 stands without any operation", tokens[0])
    return ImageMogr2(tuple(Pairs(scan, index, "imageMogr2", tokens[1:], MOGR).read().values.values()))


def _view(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    mode: Any = None
    rest = tokens[1:]
    if rest and rest[0].text not in VIEW:
        mode = choice(1, 2, 3, 4, 5)(scan, "imageView2 mode", rest[0])
        rest = rest[1:]
    pairs = Pairs(scan, index, "imageView2", rest, VIEW).read()
    if not rest:
        scan.say("CI113", "imageView2 stands without any parameter", (tokens[0].start, tokens[-1].end))
    if mode is None and ("w" in pairs.values or "h" in pairs.values):
        scan.say("CI114", "imageView2 needs a mode (1 to 5) for w and h", tokens[0], "imageView2/2")
    if scan.broken:
        return None
    fields = pairs.fields()
    return ImageView2(mode, **{**fields, "ignore_error": "ignore_error" in fields})


def _watermark(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    kind = tokens[1].text if len(tokens) > 1 else ""
    family = WATERMARKS.get(kind)
    if family is None:
        message = "watermark is followed by 1 (image), 2 (text), 3 (add blind) or 4 (read blind)"
        scan.say("CI107", message, tokens[1] if len(tokens) > 1 else tokens[0])
        return None
    what = f"watermark/{kind}"
    pairs = Pairs(scan, index, what, tokens[2:], family.table).read()
    missing = [name for name in family.needs if name not in pairs.values] or _missing_mark(kind, pairs.values)
    for name in missing:
        scan.say("CI114", f"{what} needs {name}", (tokens[0].start, tokens[1].end))
    return None if scan.broken else family.make(**pairs.fields())


def _missing_mark(kind: str, values: Mapping[str, Any]) -> list[str]:
    """What the kind of mark makes necessary (CI 5.1, 5.3)."""
    if kind == "1" and "image" not in values and "image_key" not in values:
        return ["image"]
    if kind == "3" and values["type"] == 3 and "text" not in values:
        return ["text"]
    if kind in ("3", "4") and values["type"] in (1, 2) and "image" not in values:
        return ["image"]
    return []


def _only(scan: Scan, tokens: list[Token], what: str) -> bool:
    if tokens:
        scan.say("CI116", f"{what} takes nothing more", (tokens[0].start, tokens[-1].end))
    return not tokens


def _style(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    if len(tokens) == 1 or not tokens[1].text:
        scan.say("CI105", "style lacks the name of a saved style", tokens[0])
        return None
    scan.spans[(index, "style")] = (tokens[0].start, tokens[1].end)
    return Style(tokens[1].text) if _only(scan, tokens[2:], "style/NAME") else None


def _slim(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    return ImageSlim() if _only(scan, tokens[1:], "imageSlim") else None


def _qr(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    pairs = Pairs(scan, index, "QRcode", tokens[1:], QR).read()
    if "cover" not in pairs.values:
        scan.say("CI114", "QRcode needs cover", tokens[0], "QRcode/cover/0" if len(tokens) == 1 else None)
    return None if scan.broken else QrCode(**pairs.fields())


def _ci_process(scan: Scan, index: int, tokens: list[Token]) -> Optional[Stage]:
    """`ci-process=NAME&k=v`: its values may hold slashes, so it is read as one text."""
    at = tokens[0].start
    parts = []
    for part in "/".join(token.text for token in tokens).split("&"):
        parts.append(Token(part, at, at + len(part)))
        at += len(part) + 1
    name = Token(parts[0].text.partition("=")[2], parts[0].start + len(_CI_PROCESS), parts[0].end)
    if name.text in QUERIES:
        scan.say("CI404", f"{name.text} is a query for information about an image, not a processing rule", name)
    elif name.text not in CI_PROCESSES:
        message = f"ci-process {texts.quoted(name.text)} is not one of {', '.join(CI_PROCESSES)}"
        scan.say("CI107", message, name)
    params: dict[str, str] = {}
    for token in parts[1:]:
        key, _, value = token.text.partition("=")
        if not (key and value):
            scan.say("CI106", f"ci-process parameter {texts.quoted(token.text)} is not name=value", token)
        elif key in params:
            scan.say("CI110", f"ci-process has {texts.quoted(key)} twice", token)
        params[key] = value
        scan.spans[(index, key)] = (token.start, token.end)
    return CiProcess(name.text, tuple(params.items()))


STAGES: Mapping[str, Callable[[Scan, int, list[Token]], Optional[Stage]]] = {
    "imageMogr2": _mogr,
    "imageView2": _view,
    "watermark": _watermark,
    "style": _style,
    "imageSlim": _slim,
    "QRcode": _qr,
}
