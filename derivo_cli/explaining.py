"""Why a source gets, or does not get, its derivatives: every rule set considered, the plan, the requests, the cost."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from derivo.ci import canonical, limits, prices
from derivo.ci.tree import Rule
from derivo.events import Source
from derivo.fileids import Fileids
from derivo.globs import Glob
from derivo.matching import RuleSetIndex, explain
from derivo.plan import Plan, plan
from derivo.rulesets import RuleSet

FINAL = "final"


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """One rule set, in the order of matching. `failed` is the first clause that the source fails, `final` after a rule
    set that ends the search, None when it matches; `detail` says it in words."""

    rule_set: str
    prefix: str
    matches: bool
    failed: str | None = None
    detail: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One derivative: `rule` is what is sent, `canonical` what its digest hashes; `blocked` tells why it cannot be."""

    rule_set: str
    name: str
    bucket: str
    key: str
    rule: str
    canonical: str
    spec: str
    blocked: str | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` are the Pic-Operations headers; `cost` is what they cost, without free allowances."""

    bucket: str
    key: str
    size: int | None
    considered: tuple[Considered, ...]
    derivatives: tuple[Item, ...]
    requests: tuple[str, ...]
    plan: str
    cost: prices.Cost
    seconds_at_the_limit: float


def explanation(
    source: Source,
    index: RuleSetIndex,
    price_table: Mapping[str, prices.Price] = prices.PRICES,
    fileids: Fileids | None = None,
) -> Explanation:
    """All there is to know beforehand about one source; `fileids` is what settings tell of this COS."""
    made = plan(source, index)
    known = fileids or Fileids()
    rules = {(r.name, d.name): d.rule for r in index.considered for d in r.derivatives}
    return Explanation(
        bucket=source.bucket,
        key=source.key,
        size=source.size,
        considered=tuple(_considered(source, index)),
        derivatives=tuple(_items(made, rules)),
        requests=tuple(known.spoken(request.pic_operations) for request in made.requests),
        plan=made.digest,
        cost=prices.cost([rules[d.rule_set, d.name] for d in made.derivatives], source.size, prices=price_table),
        seconds_at_the_limit=len(made.requests) / limits.QPS_CLOUD,
    )


def _items(made: Plan, rules: Mapping[tuple[str, str], Rule]) -> list[Item]:
    blocked = {item.derivative: f"{item.reason}: {item.detail}" for item in made.blocked}
    return [
        Item(
            rule_set=planned.rule_set,
            name=planned.name,
            bucket=planned.bucket,
            key=planned.key,
            rule=planned.rule,
            canonical=canonical(rules[planned.rule_set, planned.name]),
            spec=planned.spec,
            blocked=blocked.get(planned),
        )
        for planned in (*made.derivatives, *blocked)
    ]


def _considered(source: Source, index: RuleSetIndex) -> list[Considered]:
    found = []
    ended_by: RuleSet | None = None
    for rule_set in index.considered:
        clause = explain(rule_set, source)
        detail = _detail(clause, rule_set, source) if clause else ""
        if clause is None and ended_by is not None:
            clause, detail = FINAL, f"{ended_by.name} matched before it and is final"
        found.append(
            Considered(
                rule_set=rule_set.name, prefix=rule_set.prefix, matches=clause is None, failed=clause, detail=detail
            )
        )
        if clause is None and rule_set.final:
            ended_by = rule_set
    return found


def _detail(clause: str, rule_set: RuleSet, source: Source) -> str:
    match clause:
        case "bucket":
            return f"it is for {rule_set.bucket}"
        case "prefix":
            return f"the key does not begin with {rule_set.prefix!r}"
        case "suffixes":
            return f"the key ends in none of {', '.join(rule_set.suffixes or ())}"
        case "include":
            return f"the key matches none of {_globs(rule_set.include)}"
        case "exclude":
            hit = next(glob.text for glob in rule_set.exclude if glob.match(source.key))
            return f"the key matches {hit!r}"
        case "min_size":
            return f"{source.size} bytes are under {rule_set.min_size}"
        case _:
            return f"{source.size} bytes are over {rule_set.max_size}"


def _globs(globs: tuple[Glob, ...]) -> str:
    return ", ".join(repr(glob.text) for glob in globs)


def as_json(found: Explanation) -> str:
    """Members as in Explanation; each request as an object, not as text in text."""
    plain = msgspec.to_builtins(found)
    plain["requests"] = [json.loads(text) for text in found.requests]
    return json.dumps(plain, ensure_ascii=False, indent=2)
