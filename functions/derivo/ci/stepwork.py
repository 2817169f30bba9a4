"""What compiling steps gathers: stages, where each came from, and what is wrong; and how a step's values are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional, Union

import msgspec

from derivo.ci import texts, tree
from derivo.ci.printer import decimal, op_to_text
from derivo.ci.problems import Problem, SpanPath, problem
from derivo.ci.steptables import MAP, NUMBER, SWITCH, TEXT, WHOLE, Member
from derivo.ci.values import BAD, Scan, Token

StepPath = tuple[Union[int, str], ...]
"""Into the YAML: `(1, "resize", "width")` is the width of the second step."""


class StepProblem(msgspec.Struct, frozen=True):
    """One finding about steps: where in the YAML, and what. The problem's offsets are 0."""

    path: StepPath
    problem: Problem


class Work:
    """The stages so far, and what was found. `output` holds what acts at the end."""

    def __init__(self) -> None:
        self.problems: list[StepProblem] = []
        self.stages: list[tree.Stage] = []
        self.origins: dict[SpanPath, StepPath] = {}
        self.output: dict[str, tuple[tree.MogrOp, StepPath]] = {}

    @property
    def refused(self) -> bool:
        return any(not each.problem.tolerated for each in self.problems)

    def say(self, path: StepPath, code: str, message: str, mend: Optional[str] = None) -> None:
        self.problems.append(StepProblem(path, problem(code, message, mend=mend)))

    def stage(self, path: StepPath, stage: tree.Stage) -> None:
        self.origins[(len(self.stages),)] = path
        self.stages.append(stage)

    def ops(self, path: StepPath, *ops: tree.MogrOp) -> None:
        """One imageMogr2 stage of operations whose order cannot matter."""
        self.stage(path, tree.ImageMogr2(ops))

    def finish(self) -> None:
        """What tells how the file is written comes last, in the last stage if that is imageMogr2 as well."""
        if not self.output:
            return
        ops = tuple(op for op, _ in self.output.values())
        last = self.stages[-1] if self.stages else None
        if isinstance(last, tree.ImageMogr2):
            self.stages[-1] = tree.ImageMogr2(last.ops + ops)
        else:
            self.stage(next(iter(self.output.values()))[1], tree.ImageMogr2(ops))
        for op, path in self.output.values():
            self.origins[(len(self.stages) - 1, op_to_text(op).partition("/")[0])] = path

    def read(self, path: StepPath, member: Member, value: object) -> Any:
        """A value of the member's kind, read as the CI language reads it; BAD when it cannot be."""
        if member.kind == MAP:
            return self.members(path, value, member)
        if not _KINDS[member.kind](value):
            self.say(path, "CI603", f"{_name(path)} must be {member.kind}, not {_shown(value)}")
            return BAD
        if isinstance(value, str) and not _encodes(value):
            self.say(path, "CI109", f"{_name(path)} holds half of a character (a lone surrogate)")
            return BAD
        if member.read is None:
            return value
        text = decimal(value) if isinstance(value, float) else _digits(value)
        scan = Scan()
        result = member.read(scan, _name(path), Token(text, 0, len(text)))
        self.problems.extend(StepProblem(path, _without_place(each)) for each in scan.problems)
        return result

    def unknown(self, path: StepPath, name: object, lead: str, known: Mapping[str, Any]) -> None:
        """A member that there is not; `lead` begins the message."""
        if isinstance(name, str):
            message = f"{lead} {texts.quoted(name)}, only {', '.join(known)}"
            self.say((*path, name), "CI602", message, texts.nearest(name, known))
        else:
            self.say(path, "CI602", f"{lead} {_shown(name)}, only {', '.join(known)}")

    def members(self, path: StepPath, value: object, map_: Member) -> Any:
        """A map's members by name, BAD where one cannot be read or is missing."""
        table = map_.members
        if not isinstance(value, dict):
            self.say(path, "CI603", f"{_name(path)} must be a map with {', '.join(table)}")
            return BAD
        found: dict[str, Any] = {}
        for name, each in value.items():
            if name in table:
                found[name] = self.read((*path, name), table[name], each)
            else:
                self.unknown(path, name, f"{_name(path)} has no", table)
        missing = [name for name in map_.needs if name not in value]
        if missing:
            self.say(path, "CI604", f"{_name(path)} needs {' and '.join(missing)}")
        return BAD if missing or len(found) < len(value) or BAD in found.values() else found


_KINDS: Mapping[str, Callable[[object], bool]] = {
    WHOLE: lambda value: isinstance(value, int) and not isinstance(value, bool),
    NUMBER: lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    TEXT: lambda value: isinstance(value, str) and value != "",
    SWITCH: lambda value: isinstance(value, bool),
}


def _name(path: StepPath) -> str:
    return " ".join(str(each) for each in path if isinstance(each, str))


def _shown(value: object) -> str:
    """A value as YAML has it, or what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return texts.quoted(value)
    if value is None:
        return "nothing"
    return {int: "a number", float: "a number", dict: "a map", list: "a list"}.get(type(value), type(value).__name__)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digits(value: object) -> str:
    # Python refuses to print integers of thousands of digits; no honest value has ten.
    if isinstance(value, int) and value.bit_length() > 64:
        return "9" * 20
    return str(value)


def _without_place(found: Problem) -> Problem:
    return msgspec.structs.replace(found, start=0, end=0)
