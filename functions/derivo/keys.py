"""Key templates and COS's fileid: where a derivative goes.

Variables, from a source key: `{path}` the whole key · `{dir}` its folder without the last slash · `{name}` the file
name with extension · `{stem}` the name without extension · `{ext}` the extension without its dot · `{derivative}` the
derivative's name · `{spec}` the digest of its canonical rule. A literal brace is written `{{` or `}}`.

`{dir}/` is one unit and is empty for a source at the bucket's root; `.{ext}` is one unit and is empty for a name
without extension; thus `{dir}/{name}` and `{dir}/{stem}.{ext}` always give the source key back. The extension is what
follows the last dot, if there is something before that dot and something after it (`.jpg`, `a.` and `a` have none).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Optional, Union

import msgspec

from derivo.ci.limits import KEY_BYTES

PATH = "path"
DIR = "dir"
DIR_SLASH = "dir/"
NAME = "name"
STEM = "stem"
EXT = "ext"
DOT_EXT = ".ext"
DERIVATIVE = "derivative"
SPEC = "spec"

VARIABLES = (PATH, DIR, NAME, STEM, EXT, DERIVATIVE, SPEC)


class Text(msgspec.Struct, frozen=True, tag=True):
    text: str


class Variable(msgspec.Struct, frozen=True, tag=True):
    """`name` is one of the constants of this module."""

    name: str


Part = Union[Text, Variable]


class KeyTemplate(msgspec.Struct, frozen=True):
    """`absolute`: the text began with a slash (not in `parts`); else the key is relative to the source's folder."""

    text: str
    absolute: bool
    parts: tuple[Part, ...]


class TemplateError(ValueError):
    """`offset` is the character in the template."""

    def __init__(self, message: str, offset: int, mend: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.mend = mend


def parse(text: str) -> KeyTemplate:
    """The template's parts, neighbouring literal characters joined.

    Raises TemplateError, also for a template that could give a key that is empty or ends in a slash, or that writes an
    empty, `.` or `..` name into it.
    """
    if len(text) > 4 * KEY_BYTES:
        raise TemplateError(f"the template has {len(text)} characters; keys end at {KEY_BYTES} bytes", 0)
    absolute = text.startswith("/")
    parts: list[Part] = []
    at = int(absolute)
    while at < len(text):
        part, at = _part(text, at)
        _append(parts, part)
    _check_text(text, parts)
    _check_names(text, int(absolute))
    _check_end(text, parts)
    return KeyTemplate(text, absolute, tuple(parts))


def _part(text: str, at: int) -> tuple[Part, int]:
    char = text[at]
    if char not in "{}":
        return Text(char), at + 1
    if text.startswith(char * 2, at):
        return Text(char), at + 2
    end = text.find("}", at)
    if char == "}" or end < 0:
        side = "closes no" if char == "}" else "opens a"
        raise TemplateError(f"this brace {side} variable", at, f"a literal brace is written `{char * 2}`")
    name = text[at + 1 : end]
    if name not in VARIABLES:
        raise TemplateError(f"unknown variable `{{{name}}}`", at, _nearest(name))
    if name == DIR and text.startswith("/", end + 1):
        return Variable(DIR_SLASH), end + 2
    return Variable(name), end + 1


def _append(parts: list[Part], part: Part) -> None:
    last = parts[-1] if parts else None
    if isinstance(last, Text):
        if isinstance(part, Text):
            parts[-1] = Text(last.text + part.text)
            return
        if part.name == EXT and last.text.endswith("."):
            parts[-1:] = [Text(last.text[:-1])] if len(last.text) > 1 else []
            part = Variable(DOT_EXT)
    parts.append(part)


def _nearest(name: str) -> str:
    import difflib  # only a faulty template needs it

    near = difflib.get_close_matches(name.strip().lower(), VARIABLES, n=1, cutoff=0.5)
    return f"did you mean `{{{near[0]}}}`?" if near else "known: " + ", ".join(f"{{{v}}}" for v in VARIABLES)


def _check_text(text: str, parts: list[Part]) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TemplateError("the template holds a character that UTF-8 cannot write", error.start) from None
    size = sum(len(part.text.encode()) for part in parts if isinstance(part, Text))
    if size > KEY_BYTES:
        raise TemplateError(f"every key would have {size} bytes or more; COS allows {KEY_BYTES}", 0)


def _check_names(text: str, start: int) -> None:
    """No variable holds a slash in its name, so the names between slashes can be read off the text as it is written."""
    at = start
    for name in text[start:].split("/"):
        if name in (".", ".."):
            raise TemplateError(f"`{name}` is not a folder in COS, and what a key with it becomes is undefined", at)
        if not name and at < len(text):
            raise TemplateError("an empty name between two slashes", at, "take one slash out")
        at += len(name) + 1


def _check_end(text: str, parts: list[Part]) -> None:
    """Whatever the source, the last name of the key must not be empty."""
    mend = "end with the file's name, e.g. `{name}`"
    # An extension may be missing, so what stands before it has to hold by itself.
    certain = [part for part in parts if part not in (Variable(EXT), Variable(DOT_EXT))]
    last = certain[-1] if certain else None
    if last is None or (isinstance(last, Text) and last.text.endswith("/")) or last in _FOLDERS:
        what = "ends in a slash" if text.endswith("/") else "could end in a slash or be empty"
        raise TemplateError(f"the key {what}, which gives an object without a name", max(len(text) - 1, 0), mend)


_FOLDERS = (Variable(DIR), Variable(DIR_SLASH))


def expand(template: KeyTemplate, *, source_key: str, derivative: str, spec: str) -> str:
    """The derivative's key for one source, without a leading slash of our own; a relative template is resolved against
    the source's folder (CI 1.4). Total; `defect` tells whether the key can be used."""
    values = _values(source_key)
    values[DERIVATIVE] = derivative
    values[SPEC] = spec
    key = "".join(part.text if isinstance(part, Text) else values[part.name] for part in template.parts)
    return key if template.absolute else values[DIR_SLASH] + key


def _values(source_key: str) -> dict[str, str]:
    cut = source_key.rfind("/") + 1
    name = source_key[cut:]
    dot = name.rfind(".")
    if not 0 < dot < len(name) - 1:
        dot = len(name)
    return {
        PATH: source_key,
        DIR: source_key[: max(cut - 1, 0)],
        DIR_SLASH: source_key[:cut],
        NAME: name,
        STEM: name[:dot],
        EXT: name[dot + 1 :],
        DOT_EXT: name[dot:],
    }


def extension(template: KeyTemplate) -> Optional[str]:
    """The extension, with its dot, that every key of the template has; None where it depends on the source."""
    last = template.parts[-1]
    text = last.text.rpartition("/")[2] if isinstance(last, Text) else ""
    return text[text.rindex(".") :] if "." in text else None


def resolve_fileid(fileid: str, source_key: str) -> str:
    """The object key that COS makes of a fileid (CI 1.4): absolute with a leading slash, else relative to the source's
    folder. Raises ValueError for one that names no object."""
    if not fileid or fileid.endswith("/"):
        raise ValueError("a fileid must end in a file name")
    return fileid[1:] if fileid.startswith("/") else source_key[: source_key.rfind("/") + 1] + fileid


def defect(key: str, source_key: str) -> Optional[tuple[str, str]]:
    """Why a derivative's key cannot be used, as a stable word and a sentence; None when it can.

    Empty names are refused only where the source has none itself: COS keeps `a//b` apart from `a/b`.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "bad_key", "the key holds a character that UTF-8 cannot write"
    if size > KEY_BYTES:
        return "key_too_long", f"the key is {size} bytes long; COS allows {KEY_BYTES}"
    names = key.split("/")
    if not names[-1]:
        return "bad_key", "the key ends in no file name"
    if "." in names or ".." in names:
        return "bad_key", "the key has a `.` or `..` between its slashes, which COS may resolve to another key"
    if "" in names and "" not in source_key.split("/"):
        return "bad_key", "the template made an empty name between two slashes"
    return None


def record_key(folder: str, source_key: str) -> str:
    """Where the failure record of a source goes, `folder` as in the rule set (`/failures/`): a key COS can have."""
    key = f"{folder.lstrip('/')}{source_key}.json"
    if len(key.encode("utf-8", "surrogatepass")) <= KEY_BYTES:
        return key
    return f"{folder.lstrip('/')}{sha256(source_key.encode('utf-8', 'surrogatepass')).hexdigest()}.json"
