"""Which rule has been in force since when: one small object in the bucket, `.derivo/specs.json`.

Without a manifest nothing tells which rule made a derivative; then its Last-Modified is held against the time from
which its rule was in force. That time is COS's own, never this machine's: an entry without `since` is as old as the
object is.
"""

from __future__ import annotations

import difflib

import msgspec

from derivo import __version__, ownobjects
from derivo.ci import canonical, parse, to_text
from derivo.ci.tree import ImageMogr2, Rule
from derivo.cos import Cos
from derivo.matching import RuleSetIndex

KEY = ownobjects.FOLDER + "specs.json"
FORMAT = 1
ALWAYS = "always"
"""In force before anybody took notes: derivatives are not judged by it."""

_SECONDS = 60.0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """From `since` (as COS writes times; None: as old as the object) the derivative was made by the rule, canonical."""

    rule_set: str
    name: str
    spec: str
    rule: str
    since: str | None = None


class Specs(msgspec.Struct, frozen=True, kw_only=True):
    """The object; the entries are in the order of time."""

    specs: int
    derivo: str
    entries: tuple[Entry, ...]


class History:
    """What the object tells; empty where there is none."""

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        self.entries = entries
        self._last = {(entry.rule_set, entry.name): entry for entry in entries}
        self._rules = {entry.spec: entry.rule for entry in entries}

    def since(self, rule_set: str, name: str, spec: str) -> str | None:
        """From when on the spec has been in force: a time, ALWAYS, or None when it is not yet."""
        last = self._last.get((rule_set, name))
        if last is None:
            return None if self.entries else ALWAYS
        return last.since if last.spec == spec else None

    def rule(self, spec: str) -> str | None:
        """The canonical rule of a digest, where it is known."""
        return self._rules.get(spec)

    def with_rules_of(self, index: RuleSetIndex) -> Specs | None:
        """The object as it should be once these rules are in force; None when it says so already."""
        since = None if self.entries else ALWAYS
        added = tuple(
            Entry(rule_set=r.name, name=d.name, spec=d.spec, rule=canonical(d.rule), since=since)
            for r in index.considered
            for d in r.derivatives
            if (r.name, d.name) not in self._last or self._last[r.name, d.name].spec != d.spec
        )
        return Specs(specs=FORMAT, derivo=__version__, entries=self.entries + added) if added else None


def read(client: Cos, bucket: str, region: str) -> History:
    """The bucket's history. Raises CosFailure."""
    for item in client.list(bucket=bucket, region=region, prefix=KEY, timeout=_SECONDS):
        if item.key == KEY:
            data = client.get(bucket=bucket, region=region, key=KEY, timeout=_SECONDS)
            found = None if data is None else ownobjects.decode(data, Specs, "specs", FORMAT)
            return History(tuple(_dated(entry, item.modified) for entry in found.entries) if found else ())
    return History()


def _dated(entry: Entry, modified: str) -> Entry:
    return msgspec.structs.replace(entry, since=modified) if entry.since is None else entry


def record(client: Cos, bucket: str, region: str, index: RuleSetIndex) -> None:
    """Note the rules as in force from now on, if they are not noted already. Raises CosFailure."""
    wanted = read(client, bucket, region).with_rules_of(index)
    if wanted is not None:
        client.put(
            bucket=bucket, region=region, key=KEY, body=ownobjects.encode(wanted),
            headers={"ContentType": "application/json"}, timeout=_SECONDS,
        )  # fmt: skip


def changed(old: str | None, new: str) -> str:
    """What differs between two canonical rules, such as `quality/80 -> quality/90`."""
    if old is None:
        return f"an earlier rule -> {new}"
    before, after = _pieces(old), _pieces(new)
    found = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            found.append(f"{' '.join(before[a:b]) or 'nothing'} -> {' '.join(after[c:d]) or 'nothing'}")
    return "; ".join(found) or f"{old} -> {new}"


def _pieces(text: str) -> list[str]:
    """The operations of a rule, one text each."""
    rule = parse(text).rule
    if rule is None:
        return [text]
    pieces: list[str] = []
    for stage in rule.stages:
        if isinstance(stage, ImageMogr2):
            pieces += [to_text(Rule((ImageMogr2((op,)),))).partition("/")[2] for op in stage.ops]
        else:
            pieces.append(to_text(Rule((stage,))))
    return pieces
