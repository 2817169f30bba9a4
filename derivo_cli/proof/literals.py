"""The literal text that keys begin and end with: enough to see that most pairs of rule sets never meet."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from derivo.globs import Literal
from derivo.matching import lower_ascii
from derivo.rulesets import Derivative, RuleSet
from derivo_cli.proof.templates import EXTENSION, FOLDER, STEM_PART, Shape, shapes


def source_head(rule_set: RuleSet) -> str:
    """Text that every source of the rule set begins with."""
    heads = [
        glob.tokens[0].text if glob.tokens and isinstance(glob.tokens[0], Literal) else "" for glob in rule_set.include
    ]
    head = common(heads)
    return head if head.startswith(rule_set.prefix) else rule_set.prefix


def source_tails(rule_set: RuleSet) -> tuple[str, ...]:
    """Every source ends in one of these, letter case ignored."""
    return ("",) if rule_set.suffixes is None else tuple(lower_ascii(suffix) for suffix in rule_set.suffixes)


def key_head(derivative: Derivative, source: str) -> str:
    """Text that every key of the derivative begins with, when its sources begin with `source`."""
    return common([_head(shape, source) for shape in shapes(derivative, source)])


def _head(shape: Shape, source: str) -> str:
    head = shape.texts[0]
    if shape.variables[:1] != (FOLDER,):
        return head
    folder, slash, name = source.rpartition("/")
    if not shape.texts[1].startswith("/"):
        return head + folder
    head += folder + slash
    if shape.texts[1] == "/" and shape.variables[1:2] == (STEM_PART,):
        whole = shape.texts[2:3] == (".",) and shape.variables[2:3] == (EXTENSION,)
        head += name if whole else name.partition(".")[0]
    return head


def key_tails(derivative: Derivative, tails: Sequence[str]) -> tuple[str, ...]:
    """Every key of the derivative ends in one of these, letter case ignored, when its sources end in one of `tails`."""
    found: dict[str, None] = {}
    for shape in shapes(derivative):
        last = lower_ascii(shape.texts[-1])
        if _ends_in_name(shape) and not any("/" in tail for tail in tails):
            found.update(dict.fromkeys(tail + last for tail in tails))
        else:
            found[last] = None
    return tuple(found)


def _ends_in_name(shape: Shape) -> bool:
    if shape.has_extension:
        return shape.variables[-2:] == (STEM_PART, EXTENSION) and shape.texts[-2] == "."
    return shape.variables[-1:] == (STEM_PART,)


def heads_meet(one: str, other: str) -> bool:
    """Whether a key may begin with both."""
    return one.startswith(other) or other.startswith(one)


def tails_meet(some: Iterable[str], others: Sequence[str]) -> bool:
    """Whether a key may end in one of each."""
    return any(a.endswith(b) or b.endswith(a) for a in some for b in others)


def common(texts: Sequence[str]) -> str:
    """The longest text that all begin with."""
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((i for i, char in enumerate(first) if char != last[i]), len(first))]


class Heads:
    """Items by the text that they begin with."""

    def __init__(self, heads: Iterable[str]) -> None:
        self._items: dict[str, list[int]] = defaultdict(list)
        for item, head in enumerate(heads):
            self._items[head].append(item)
        self._sorted = sorted(self._items)

    def meeting(self, head: str) -> Iterator[int]:
        """Items whose text is a beginning of `head`, or begins with it."""
        for end in range(len(head)):
            yield from self._items.get(head[:end], ())
        at = bisect_left(self._sorted, head)
        while at < len(self._sorted) and self._sorted[at].startswith(head):
            yield from self._items[self._sorted[at]]
            at += 1
