"""The plan is the one that plain Python works out object by object, whatever rules, listings and notes there are."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coslocal.pytest_plugin import REGION
from coslocal.storage.types import StoredObject
from derivo import manifest, ownobjects
from derivo.ci import canonical
from derivo.events import Source
from derivo.loading import load_text
from derivo.manifest import Manifest, ManifestDerivative, ManifestSource
from derivo.matching import RuleSetIndex
from derivo.plan import Plan, manifest_of, plan
from derivo.rulesets import RuleSet
from derivo_cli.reconcile import planning, specs, store
from derivo_cli.reconcile.specs import Entry
from derivo_cli.url import CosUrl
from tests.derivo_cli.reconcile.conftest import Bucket
from tests.derivo_cli.reconcile.naive import Naive, Object, Place, Row

BUCKET, OTHER = "examplebucket-1250000000", "thumbs-1250000000"
ETAGS = ("a" * 32, "b" * 32, "c" * 32 + "-3")
OLD_SPEC = "0123456789ab"
MOST = 32 << 20

names = st.sampled_from(
    ["a", "b.tar", "文 é", "1+1=2%", "q'\"\\", "n\nl", "[*]", "%2F", "x.", "ß.J", "a//b", "r/raw/x"]
)
ends = st.sampled_from(["", ".jpg", ".JPG", ".png", ".jpg", ".webp", "/", ".j\u212ag"])
folders = st.sampled_from(["in/", "in/", "in/a/", "in/b/", "else/", "", ".derivo/"])
source_keys = st.builds("".join, st.tuples(folders, names, ends)) | st.just("in/" + "x" * 835 + ".jpg")
sizes = st.sampled_from([0, 5, 99, 100, 101, MOST, MOST + 1])
filters = st.lists(
    st.sampled_from(
        [
            "suffixes: [.jpg, .png]", "suffixes: any", 'exclude: ["**/raw/**"]', 'include: ["in/[a-c文]*", "in/**"]',
            'exclude: ["*[!a]?", "in/文*"]', "min_size: 100", "max_size: 100", "final: true", "on_failure: /bad/",
            "manifest: /m/{path}.json", "manifest: /m/{path}.json", "manifest: '{name}.about'",
        ]
    ),
    max_size=4, unique_by=lambda line: line.partition(":")[0],
)  # fmt: skip
templates = st.sampled_from(
    [
        "/out/{path}.{n}.webp", "/out/{n}/{dir}/{stem}.{ext}.webp", "/out/{derivative}/{n}/{name}",
        "/o{n}/{spec}/{path}", "{stem}.{n}.webp", "/out/{dir}/{name}.{n}", "/in/t{n}/{name}", "/{path}.{n}.webp",
        "t/{name}.{n}.{spec}.png",
    ]
)  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> RuleSetIndex:
    made = []
    for number in range(draw(st.integers(1, 3))):
        lines = [
            f"prefix: '{draw(st.sampled_from(['in/', 'in/', 'in/a', 'in/b/', '']))}'",
            *draw(filters),
            "derivatives:",
        ]
        for at, template in enumerate(draw(st.lists(templates, min_size=1, max_size=2))):
            to = template.replace("{n}", f"{number}{at}")
            where = draw(st.sampled_from(["", "", f"bucket: {OTHER}, "]))
            lines.append(f"  - {{name: d{at}, {where}to: '{to}', rule: imageMogr2/thumbnail/2{at}x/format/webp}}")
        rule_set, _ = load_text("\n".join(lines), f"set{number}.yml")
        if rule_set is not None:
            made.append(rule_set)
    return RuleSetIndex(made)


@st.composite
def notes(draw: st.DrawFn, index: RuleSetIndex) -> list[Entry]:
    """Which rule was in force since when, in the order of time."""
    found: list[Entry] = []
    for rule_set in index.considered:
        for d in rule_set.derivatives:
            course = draw(st.sampled_from([(), (d.spec,), (OLD_SPEC,), (OLD_SPEC, d.spec), (d.spec, OLD_SPEC)]))
            for at, spec in enumerate(course):
                since = specs.ALWAYS if not at and draw(st.booleans()) else stamp(draw(st.integers(2, 4)) + 4 * at)
                rule = canonical(d.rule) if spec == d.spec else "imageMogr2/thumbnail/9x"
                found.append(Entry(rule_set=rule_set.name, name=d.name, spec=spec, rule=rule, since=since))
    return found


def stamp(minute: int) -> str:
    return datetime.fromtimestamp(1_760_000_000 + 60 * minute, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


times = st.integers(0, 9).map(stamp)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[RuleSetIndex, dict[Place, Object], list[Entry]]:
    """Rules, a listing somewhere between nothing and everything made, and notes of which rules were in force."""
    index = draw(rules())
    listing: dict[Place, Object] = {}
    for key in draw(st.lists(source_keys, min_size=1, max_size=7, unique=True)):
        listing[BUCKET, key] = Object(draw(sizes), draw(st.sampled_from(ETAGS)), draw(times))
    for _, key in list(listing):
        made = plan(Source(bucket=BUCKET, region=REGION, key=key), index)
        for d in made.derivatives:
            if draw(st.integers(0, 3)):
                listing.setdefault((d.bucket, d.key), Object(7, draw(st.sampled_from(ETAGS)), draw(times)))
        for rule_set in index.matching(made.source):
            if rule_set.manifest is not None and draw(st.integers(0, 3)):
                _manifest(draw, rule_set, made, listing)
        if not draw(st.integers(0, 4)):
            del listing[BUCKET, key]
    for key in draw(
        st.lists(st.sampled_from(["out/x.txt", "out/00/", "o00/y", "o00/0123456789ab/in/a", "in/t/f.00.webp"]))
    ):
        listing.setdefault((draw(st.sampled_from([BUCKET, OTHER])), key), Object(3, ETAGS[0], draw(times)))
    return index, listing, draw(notes(index))


def _manifest(draw: st.DrawFn, rule_set: RuleSet, made: Plan, listing: dict[Place, Object]) -> None:
    """Put the manifest of a rule set: right, of an earlier source or rule, of something else, or no manifest at all."""
    wanted = manifest_of(rule_set, made.source)
    if wanted is None:
        return
    etag = listing[BUCKET, made.source.key].etag
    told = Manifest(
        manifest=draw(st.sampled_from([1, 1, 1, 99])), derivo="0", rule_set=rule_set.name,
        source=ManifestSource(bucket=BUCKET, key=made.source.key, etag=draw(st.sampled_from([etag, *ETAGS, ""]))),
        derivatives=tuple(
            ManifestDerivative(
                name=d.name, bucket=d.bucket, key=d.key, format="webp", width=1, height=1, size=1,
                etag=draw(st.sampled_from([standing.etag, standing.etag, ETAGS[0], ""])),
                spec=draw(st.sampled_from([d.spec, d.spec, OLD_SPEC])),
            )
            for d in made.derivatives
            if d.rule_set == rule_set.name and (standing := listing.get((d.bucket, d.key))) is not None
        ),
    )  # fmt: skip
    body = manifest.encode(told)
    listing[BUCKET, wanted.key] = Object(len(body), draw(st.sampled_from(ETAGS)), draw(times), body)


def fill(bucket: Bucket, listing: Mapping[Place, Object], history: list[Entry]) -> None:
    """Let the bucket hold just this."""
    there = bucket.cos.app.store
    there.reset(keep_buckets=True)
    whole = dict(listing)
    if history:
        body = ownobjects.encode(specs.Specs(specs=specs.FORMAT, derivo="0", entries=tuple(history)))
        whole[BUCKET, specs.KEY] = Object(len(body), ETAGS[0], stamp(0), body)
    for (where, key), item in whole.items():
        blob = there.take_in(io.BytesIO(item.body))
        there.put(
            StoredObject(
                bucket=where, key=key, blob=blob.name, size=item.size, etag=item.etag, crc64="0",
                modified=datetime.fromisoformat(item.modified).timestamp(),
            )
        )  # fmt: skip


def planned(bucket: Bucket, index: RuleSetIndex, manifests: bool) -> tuple[list[Row], planning.Planned]:
    with tempfile.TemporaryDirectory() as folder:
        request = planning.Request(CosUrl(BUCKET, ""), REGION, index, manifests=manifests)
        made = planning.make(request, bucket.client, Path(folder))
        names = made.head.buckets
        found = made.store.rows("SELECT class, why, rule_set, name, bucket, key, source, old_spec FROM work")
        rows = [
            Row(kind, why, rule_set, name, (names[where], key), source, old if kind == "stale-spec" else None)
            for kind, why, rule_set, name, where, key, source, old in found
        ]
        made.store.close()
    return rows, made


def comparable(rows: list[Row], several: set[Place]) -> list[str]:
    """The rows in order. Which of several manifests is taken for the proof is left open."""
    open_to = [Row(r.kind, r.why, "*", "*", r.place, "*") if r.place in several else r for r in rows]
    return sorted(map(repr, open_to))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), manifests=st.sampled_from([True, True, False]), rows_a_pass=st.sampled_from([4, 10_000_000]))
def test_the_plan_is_the_naive_one(
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    world: tuple[RuleSetIndex, dict[Place, Object], list[Entry]],
    manifests: bool,
    rows_a_pass: int,
) -> None:
    index, listing, history = world
    monkeypatch.setattr(store, "ROWS_A_PASS", rows_a_pass)
    bucket.other_bucket(OTHER)
    fill(bucket, listing, history)
    rows, made = planned(bucket, index, manifests)
    naive = Naive(index, BUCKET, listing, history, manifests)
    expected = naive.rows()
    several = {row.place for row in expected if row.source == "*"}
    assert comparable(rows, several) == comparable(expected, several)
    assert made.summary.sources == len(naive.plans)
    assert made.summary.derivatives == sum(len(p.derivatives) + len(p.blocked) for p in naive.plans.values())
