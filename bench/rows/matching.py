"""Finding the rule sets of a source among one, a thousand and a hundred thousand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

import msgspec

from bench.setting import BUCKET, REGION, Setting
from bench.table import Goal, Row, compared
from bench.timing import in_turn, timed
from derivo.events import Source
from derivo.loading import load_text
from derivo.matching import RuleSetIndex
from derivo.rulesets import RuleSet

_TEXT = """
prefix: shops/lamp-house/products/
suffixes: [.jpg, .jpeg, .png]
exclude: ["**/raw/**"]
derivatives:
  - {name: t, to: "/derived/{path}.webp", rule: imageMogr2/auto-orient/thumbnail/200x200>/strip/format/webp}
"""
_KEY = "shops/lamp-house/products/2026/spring/lamp 14.jpg"
_REPEAT = 2000


def rows(setting: Setting) -> Iterator[Row]:
    first, faults = load_text(_TEXT, "rules/lamp-house.yml")
    if first is None:
        raise RuntimeError(str(faults))
    source = Source(bucket=BUCKET, region=REGION, key=_KEY, size=300_000)
    one = RuleSetIndex([first])
    for count in (1_000, 100_000):
        many = RuleSetIndex([first, *_others(first, count - 1)])
        if many.matching(source) != one.matching(source) or not one.matching(source):
            raise RuntimeError("the rule sets of the bench do not match as they should")
        ours, theirs = in_turn(
            partial(timed, partial(many.matching, source), _REPEAT),
            partial(timed, partial(one.matching, source), _REPEAT),
            setting.runs(31, 11),
        )
        yield compared(
            f"match among {count:,} rule sets", ours, theirs, unit="s", against="one rule set", goal=Goal(2),
            method=f"RuleSetIndex.matching of one key that one rule set matches, {_REPEAT:,} calls a run; the others'"
            " prefixes are `shops/<name>/<section>/` with names of 4 to 24 letters",
        )  # fmt: skip


def _others(first: RuleSet, count: int) -> Iterator[RuleSet]:
    rng = random.Random(7)
    for number in range(count):
        name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz-", k=rng.randint(4, 24)))
        section = rng.choice(("products", "articles", "avatars", "banners", "press"))
        yield msgspec.structs.replace(first, name=f"r{number}", prefix=f"shops/{name}/{section}/")
