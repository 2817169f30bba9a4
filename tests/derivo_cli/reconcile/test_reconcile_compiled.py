"""Rule sets as SQL want what `plan` wants, row for row, for whatever keys and rules."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivo.fileids import PATHS, Fileids
from derivo.loading import load_text
from derivo.matching import RuleSetIndex
from derivo_cli.exits import Stop
from derivo_cli.reconcile import compiled, wanted
from derivo_cli.reconcile.store import Store

BUCKET = "b-1250000000"
WHEN = "2026-11-22 00:00:00"

names = st.text(st.sampled_from("ab.Jj文é/́\n '%+\\[*K"), min_size=1, max_size=12)
ends = st.sampled_from(
    [
        "",
        ".jpg",
        ".JPG",
        ".png",
        ".jpg",
        ".png",
        ".jpeg",
        ".",
        "/",
        ".tar.gz",
        "..jpg",
        "/.jpg",
        "/a/../b.jpg",
        ".j\u212ag",
    ]
)
folders = st.sampled_from(["in/", "in/", "in/a/", "in/b/", "in/./", "in//", "else/", "", "in/b/raw/"])
found_keys = st.builds("".join, st.tuples(folders, names, ends)) | st.just("in/" + "x" * 830 + ".jpg")
sizes = st.sampled_from([0, 1, 5, 50, 99, 100, 101, 32 << 20, (32 << 20) + 1])

templates = st.lists(
    st.sampled_from(["{path}", "{dir}/{name}", "{stem}", "{ext}", "{dir}x", "{derivative}", "{spec}", "{name}",
                     "a", ".b", "/c/"]),
    min_size=1, max_size=4,
).map("".join)  # fmt: skip
filters = st.lists(
    st.sampled_from(
        [
            "suffixes: [.jpg, .png]", "suffixes: any", 'exclude: ["**/raw/**"]', 'include: ["in/[a-c/]*", "in/**"]',
            'exclude: ["*[!a]?", "in/文*"]', "min_size: 100", "max_size: 100", "final: true",
            "manifest: /m/{path}.json",
        ]
    ),
    max_size=4, unique_by=lambda line: line.partition(":")[0],
)  # fmt: skip


@st.composite
def indexes(draw: st.DrawFn) -> RuleSetIndex:
    made = []
    for number in range(draw(st.integers(1, 3))):
        lines = [f"prefix: '{draw(st.sampled_from(['in/', 'in/a', 'in/b/']))}'", *draw(filters), "derivatives:"]
        for at, template in enumerate(draw(st.lists(templates, min_size=1, max_size=2))):
            to = f"/out/{number}{at}/{template}.{number}{at}.webp"
            lines.append(f"  - {{name: d{at}, to: '{to}', rule: imageMogr2/thumbnail/2x/format/webp}}")
        rule_set, _ = load_text("\n".join(lines), f"set{number}.yml")
        if rule_set is not None:
            made.append(rule_set)
    return RuleSetIndex(made)


def both(index: RuleSetIndex, listed: dict[str, int], path: str | None = None) -> tuple[object, object] | None:
    """(sources, rows) by SQL and by Python; None where the rule sets need Python. `path`: what becomes of `//`."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.fill("objects", ((0, key, size, "e", WHEN, False) for key, size in listed.items()))
        items = wanted.Items(index, BUCKET, fileids=Fileids(path=path))
        everything = "SELECT source, size, item, bucket, key, blocked FROM wanted"
        expected = wanted.fill_wanted(store, index, items, "")
        rows = sorted(store.rows(everything), key=str)
        sources = compiled.view_wanted(store, index, items, "")
        found = None if sources is None else (sources, sorted(store.rows(everything), key=str))
        store.close()
    return None if found is None else (found, (expected, rows))


@settings(max_examples=40, deadline=None)
@given(indexes(), st.dictionaries(found_keys, sizes, min_size=6, max_size=25), st.sampled_from([None, *PATHS]))
def test_sql_and_plan_agree(index: RuleSetIndex, listed: dict[str, int], path: str | None) -> None:
    answers = both(index, listed, path)
    if answers is not None:
        assert answers[0] == answers[1]


def index_of(*files: str) -> RuleSetIndex:
    made = [load_text(text, f"set{number}.yml")[0] for number, text in enumerate(files)]
    return RuleSetIndex([rule_set for rule_set in made if rule_set is not None])


RULE = "rule: imageMogr2/thumbnail/2x/format/webp"


@pytest.mark.parametrize(
    "text",
    [
        f"prefix: in/\nderivatives: [{{name: t, to: '/out/{{path}}.webp', {RULE}}}]",
        f"prefix: in/\nsuffixes: [.jpg]\nderivatives: [{{name: t, to: '{{stem}}.webp', {RULE}}}]",
        f"prefix: in/\nmanifest: /m/{{path}}\nderivatives: [{{name: t, to: '/o/{{dir}}/{{stem}}.{{ext}}', {RULE}}}]",
    ],
)
def test_what_is_proved_apart_is_done_in_sql(text: str) -> None:
    keys = ["in/a.jpg", "in/b/c.JPG", "in/x", "in/.jpg", "in/a.webp"]
    answers = both(index_of(text), dict.fromkeys(keys, 5))
    assert answers is not None
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "text",
    [
        f"prefix: in/\nderivatives: [{{name: t, to: '/in/t/{{name}}', {RULE}}}]",
        f"prefix: in/\nsuffixes: [.webp]\nderivatives: [{{name: t, to: '{{stem}}.webp', {RULE}}}]",
        f"prefix: in/\nderivatives: [{{name: a, to: '/o/{{name}}', {RULE}}}, {{name: b, to: '/o/{{path}}', {RULE}}}]",
    ],
)
def test_what_may_meet_is_left_to_python(text: str) -> None:
    assert both(index_of(text), {"in/a.webp": 5}) is None


def test_a_disk_that_is_full_is_one_line(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.run("SET memory_limit = '4MB'")
    store.run("SET max_temp_directory_size = '1MB'")
    with pytest.raises(Stop, match="set TMPDIR to a larger disk") as stop:
        store.run("CREATE TEMP TABLE x AS SELECT md5(range::VARCHAR) AS text FROM range(1_000_000) ORDER BY text")
    store.close()
    assert "\n" not in str(stop.value)
