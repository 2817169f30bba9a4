"""Key templates and COS's fileid: where a derivative goes.

Variables, from a source key: `{path}` the whole key · `{dir}` its folder without the last slash · `{name}` the file name
with extension · `{stem}` the name without extension · `{ext}` the extension without its dot · `{derivative}` the
derivative's name · `{spec}` the digest of its canonical rule.

`{dir}/` is one unit and is empty for a source at the bucket's root; `.{ext}` is one unit and is empty for a name without
extension; thus `{dir}/{name}` and `{dir}/{stem}.{ext}` always give the source key back. The extension is what follows the last dot, if
there is something before that dot and something after it (`.jpg`, `a.` and `a` have none).
"""

from __future__ import annotations

from typing import Union

import msgspec

PATH = "path"
DIR = "dir"
DIR_SLASH = "dir/"
NAME = "name"
STEM = "stem"
EXT = "ext"
DOT_EXT = ".ext"
DERIVATIVE = "derivative"
SPEC = "spec"


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
