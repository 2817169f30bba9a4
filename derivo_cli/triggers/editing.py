"""serverless.yml with other triggers in it, and everything else as it was: comments, order, quotes, line ends.

The file is never written anew. YAML's own marks tell where an entry of `events` begins and ends; entries that are right
stay, the others' lines go, new ones are put behind the last. What comes of it is read again and held against what was
wanted, so that a file of an unusual shape is refused, and never spoilt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from derivo_cli import serverless
from derivo_cli.serverless import CosTrigger, TimerTrigger

_PLAIN = re.compile(r"[A-Za-z0-9_./$:{}*-]+")
_MEND = "write inputs.events as a plain block list, one `- cos:` entry below the other"


class _Span(NamedTuple):
    """Characters of the text."""

    start: int
    end: int


def edited(text: str, triggers: Sequence[CosTrigger], timers: Sequence[TimerTrigger] = ()) -> str:
    """The file's text with exactly these COS triggers, and with these timers beside its own. Raises ValueError for a
    file that is no deployment, or cannot be edited in place."""
    before = serverless.parse(text)
    items, place = _Layout(text).read()
    kept: list[CosTrigger] = []
    gone: list[_Span] = []
    cos = [span for span, names in items if "cos" in names]
    for span, trigger in zip(cos, before.triggers, strict=True):
        if trigger in triggers and trigger not in kept:
            kept.append(trigger)
        else:
            gone.append(span)
    if any("cos" in names and len(names) > 1 for _, names in items):
        raise ValueError(f"an entry of inputs.events holds more than `cos`: {_MEND}")
    new = [_cos(trigger) for trigger in triggers if trigger not in kept]
    new += [_timer(timer) for timer in timers if timer.name not in {own.name for own in before.timers}]
    result = _put_together(text, gone, place, new, cos[-1].end if cos else place.at)
    _check(text, result, triggers, timers)
    return result


class _Place(NamedTuple):
    """Where entries go: from which character, the column of their dashes, and what must stand before the first one."""

    at: int
    column: int
    head: str = ""
    dropped: _Span | None = None  # what stands for an empty list


class _Layout:
    """Where things stand in the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [t for t in yaml.scan(text, Loader=yaml.SafeLoader) if t.end_mark.index > t.start_mark.index]

    def read(self) -> tuple[list[tuple[_Span, list[str]]], _Place]:
        """The entries of `inputs.events` with their keys, and the place for more."""
        inputs = _member(yaml.compose(self._text, Loader=yaml.SafeLoader), "inputs")
        if not isinstance(inputs, yaml.MappingNode) or inputs.flow_style or not inputs.value:
            raise ValueError(f"inputs is not written as a block: {_MEND}")
        events = _member(inputs, "events")
        if events is None:
            column = inputs.value[0][0].start_mark.column
            return [], _Place(self._end(inputs), column + 2, f"{' ' * column}events:")
        self._refuse_marks(events)
        if isinstance(events, yaml.SequenceNode) and events.value:
            if events.flow_style:
                raise ValueError(f"inputs.events is written in brackets: {_MEND}")
            items = [(self._span(item), [str(name.value) for name, _ in item.value]) for item in events.value]
            return items, _Place(items[-1][0].end, self._dash(events.value[0]) - self._line(items[0][0].start))
        column = next(key.start_mark.column for key, value in inputs.value if value is events)
        empty = _Span(events.start_mark.index, events.end_mark.index)
        return [], _Place(self._line_end(empty.end), column + 2, dropped=empty)

    def _span(self, item: yaml.Node) -> _Span:
        """The lines of an entry, from its dash."""
        return _Span(self._line(self._dash(item)), self._end(item))

    def _dash(self, item: yaml.Node) -> int:
        here = item.start_mark.index
        return max(
            int(t.start_mark.index)
            for t in self._tokens
            if isinstance(t, yaml.BlockEntryToken) and t.start_mark.index < here
        )

    def _end(self, node: yaml.Node) -> int:
        """Behind the last line of what the node says; comments below it belong to nobody."""
        last = max(t.end_mark.index for t in self._tokens if t.end_mark.index <= node.end_mark.index)
        return self._line_end(last)

    def _line(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        if self._text[index - 1 : index] == "\n":  # a text in block style ends in its line break
            return index
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found + 1

    def _refuse_marks(self, events: yaml.Node) -> None:
        start, end = events.start_mark.index, events.end_mark.index
        for token in self._tokens:
            if isinstance(token, (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)) and (
                start - 1 <= token.start_mark.index < end or self._stands_for(token, events)
            ):
                raise ValueError(f"inputs.events holds an anchor, an alias or a tag: {_MEND}")

    @staticmethod
    def _stands_for(token: Any, events: yaml.Node) -> bool:
        """Whether the mark is in the line above the events, as `events: &name` has it."""
        return bool(token.start_mark.line in (events.start_mark.line, events.start_mark.line - 1))


def _member(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The last one of the name counts, as it does when the file is read."""
    members = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in reversed(members) if key.value == name), None)


def _put_together(text: str, gone: Sequence[_Span], place: _Place, new: Sequence[Iterable[str]], at: int) -> str:
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = [place.head] if place.head and new else []
    for entry in new:
        lines += [" " * place.column + line for line in entry]
    added = "".join(line + line_end for line in lines)
    if added and at == len(text) and not text.endswith("\n"):
        added = line_end + added.removesuffix(line_end)
    changes = [(span, "") for span in gone] + [(_Span(at, at), added)]
    if place.dropped is not None and new:
        changes.append((place.dropped, ""))
    pieces = []
    done = 0
    for span, instead in sorted(changes, key=lambda change: (change[0].end, change[0].start)):
        pieces += [text[done : span.start], instead]
        done = span.end
    return "".join([*pieces, text[done:]])


def _check(text: str, result: str, triggers: Sequence[CosTrigger], timers: Sequence[TimerTrigger]) -> None:
    before, after = yaml.safe_load(text), yaml.safe_load(result)
    try:
        found = serverless.understood(after)
    except ValueError as error:
        raise ValueError(f"the file cannot be edited in place ({error}): {_MEND}") from None
    was = serverless.understood(before)
    own = {timer.name for timer in was.timers}
    wanted = [*was.timers, *(timer for timer in timers if timer.name not in own)]
    if (
        repr(_but_for_triggers(before)) != repr(_but_for_triggers(after))
        or sorted(map(repr, found.triggers)) != sorted(map(repr, triggers))
        or sorted(map(repr, found.timers)) != sorted(map(repr, wanted))
    ):
        raise ValueError(f"the file cannot be edited in place: {_MEND}")


def _but_for_triggers(document: dict[str, Any]) -> object:
    inputs = {name: value for name, value in document["inputs"].items() if name != "events"}
    others = [event for event in document["inputs"].get("events") or () if not event.keys() & {"cos", "timer"}]
    return {**document, "inputs": inputs}, others


def _cos(trigger: CosTrigger) -> Iterator[str]:
    wanted = {"prefix": trigger.prefix, "suffix": trigger.suffix}
    members = ", ".join(f"{name}: {scalar(text, flow=True)}" for name, text in wanted.items() if text)
    yield "- cos:"
    yield "    parameters:"
    yield f"      bucket: {scalar(trigger.bucket)}"
    if members:
        yield f"      filter: {{{members}}}"
    yield f"      events: {scalar(trigger.event)}"
    yield "      enable: true"


def _timer(timer: TimerTrigger) -> Iterator[str]:
    yield "- timer:"
    yield f"    name: {scalar(timer.name)}"
    yield "    parameters:"
    yield f"      cronExpression: '{timer.cron}'"
    yield "      enable: true"
    if timer.message:
        yield f"      argument: {scalar(timer.message)}"


def scalar(text: str, *, flow: bool = False) -> str:
    """The text as YAML reads it back: bare where it may be, else in double quotes."""
    if _PLAIN.fullmatch(text):
        for_reading = f"{{k: {text}}}" if flow else f"k: {text}"
        try:
            if yaml.safe_load(for_reading) == {"k": text}:
                return text
        except yaml.YAMLError:
            pass
    dumped: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return dumped.rstrip("\n")
