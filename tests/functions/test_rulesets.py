"""Rule set files: what they mean, and every fault of a file at once, at its character."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo import globs, keys
from derivo.ci import formats, parse
from derivo.ci.tree import Rule, Style
from derivo.loading import load, load_text
from derivo.reading import CODES
from derivo.rulesets import ERROR, WARNING, Example, Fault, RuleSet, Where, render

RULE = "imageMogr2/auto-orient/thumbnail/200x200>/format/webp/quality/80"
ONE = f"derivatives: [{{name: t, to: '/d/{{path}}.webp', rule: {RULE}}}]\n"


def read(text: str) -> RuleSet:
    made, faults = load_text(dedent(text), "rules/shop.yml")
    assert made is not None, [render(fault) for fault in faults]
    return made


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    made, faults = load_text(dedent(text) if isinstance(text, str) else text, "r.yml")
    assert (made is None) == any(fault.level == ERROR for fault in faults)
    return faults


def places(text: str | bytes) -> list[tuple[str, int, int]]:
    return [(fault.code, fault.where.line, fault.where.column) for fault in faults_of(text)]


def test_a_whole_rule_set() -> None:
    made = read(
        f"""\
        prefix: products/
        suffixes: [.JPG, .jpeg, .jpg]
        include: ["**"]
        exclude: ["**/raw/**"]
        min_size: 1
        max_size: 10 MiB
        bucket: photos-1250000001
        final: true
        chained: false
        derivatives:
          - name: thumb
            to: /derived/{{path}}.thumb.webp
            rule: {RULE}
          - name: brand
            to: brand.jpg
            bucket: other-1250000001
            style: brand
          - name: card
            to: /derived/{{path}}.card.webp
            steps:
              - auto_orient: true
              - resize: {{width: 600, height: 400, fit: cover}}
              - watermark: {{text: "© 腾讯云", gravity: southeast, opacity: 60}}
              - format: webp
                quality: 80
        examples:
          products/a b.JPG: [derived/products/a b.JPG.thumb.webp]
          products/raw/x.png: []
        """
    )
    thumb, brand, card = made.derivatives
    assert (made.name, made.prefix, made.suffixes) == ("shop", "products/", (".jpg", ".jpeg"))
    assert (made.include, made.exclude) == ((globs.parse("**"),), (globs.parse("**/raw/**"),))
    assert (made.min_size, made.max_size, made.bucket) == (1, 10 * 1024 * 1024, "photos-1250000001")
    assert (made.final, made.chained) == (True, False)
    assert (thumb.to, thumb.rule) == (keys.parse("/derived/{path}.thumb.webp"), parse(RULE).rule)
    assert thumb.where == Where("rules/shop.yml", 11, 5)
    assert thumb.rule_where == Where("rules/shop.yml", 13, 11)
    assert (brand.bucket, brand.rule, brand.to.absolute) == ("other-1250000001", Rule((Style("brand"),)), False)
    assert len(card.rule.stages) > 1
    assert len({thumb.spec, brand.spec, card.spec}) == 3
    assert made.examples == (
        Example(
            key="products/a b.JPG",
            expected=("derived/products/a b.JPG.thumb.webp",),
            where=Where("rules/shop.yml", 27, 3),
        ),
        Example(key="products/raw/x.png", expected=(), where=Where("rules/shop.yml", 28, 3)),
    )


def test_what_is_left_out() -> None:
    made = read(ONE)
    assert made.suffixes == formats.SOURCE_SUFFIXES
    assert (made.prefix, made.include, made.exclude, made.examples) == ("", (), (), ())
    assert (made.min_size, made.max_size, made.bucket, made.final, made.chained) == (None, None, None, False, False)
    assert read("suffixes: any\n" + ONE).suffixes is None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("10485760", 10485760),
        ("5KiB", 5120),
        ("10MB", 10_000_000),
        ("10 mb", 10_000_000),
        ("1 GiB", 2**30),
        ("7B", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert read(f"max_size: {text}\n{ONE}").max_size == size


@pytest.mark.parametrize("text", ["-1", "1.5", "010", "0x10", "1_000", "10M", "MB", "1:30", "[]", "9999999999999999"])
def test_what_is_not_a_size(text: str) -> None:
    assert places(f"max_size: {text}\n{ONE}") == [("RS205", 1, 11)]


def with_rule(rule: str) -> str:
    return f"derivatives:\n- name: t\n  to: '/d/{{path}}'\n  rule: {rule}\n"


def test_a_fault_in_a_rule_is_shown_at_its_character() -> None:
    made, faults = load_text(with_rule("imageMogr2/thumbnail/200x0>/auto-orient"), "rules/products.yml")
    assert made is None
    assert render(faults[0]) == (
        "rules/products.yml:4:34: error CI203: thumbnail height 0 is outside 1..10000\n"
        "      rule: imageMogr2/thumbnail/200x0>/auto-orient\n"
        "                                     ^\n"
        "  mend: write 200x10000>"
    )


@pytest.mark.parametrize(
    ("rule", "column"),
    [
        ("imageMogr2/quality/101", 28),
        ("'imageMogr2/quality/101'", 29),
        ('"imageMogr2/quality/101"', 29),
        ('"imageMogr2/q\\x75ality/101"', 9),  # not written as it is: the value's beginning
        (">-\n    imageMogr2/quality/101", 9),
    ],
)
def test_the_column_counts_in_the_file(rule: str, column: int) -> None:
    (found,) = [place for place in places(with_rule(rule)) if place[0] == "CI208"]
    assert found == ("CI208", 4, column)


def test_warnings_leave_the_rule_set_standing() -> None:
    made, faults = load_text(ONE.replace(".webp'", ".jpg'"), "r.yml")
    assert made is not None
    assert [(f.code, f.level) for f in faults] == [("CI502", WARNING)]


def test_the_original_as_a_derivative_must_be_asked_for() -> None:
    tolerant = with_rule("imageMogr2/strip/ignore-error/1")
    assert "CI403" in [place[0] for place in places(tolerant)]
    assert read(tolerant + "  keep_original_on_error: true\n").derivatives[0].keep_original_on_error


FAULTY = [
    ("RS104", 2, 1, "prefix: a\n\tfinal: true"),
    ("RS105", 1, 10, "prefix: a: b"),
    ("RS105", 1, 9, 'name: "a'),
    ("RS106", 1, 21, "[" * 21),
    ("RS105", 1, 12, "exclude: [**/raw]"),
    ("RS107", 1, 4, "a: &x b"),
    ("RS107", 1, 11, "exclude: [*raw]"),
    ("RS108", 1, 1, "!!python/object/apply:os.system [x]"),
    ("RS109", 3, 1, "a: b\n\n---\nc: d"),
    ("RS110", 1, 1, ""),
    ("RS110", 1, 1, "# nothing\n"),
    ("RS111", 1, 1, "<<: {}\n" + ONE),
    ("RS112", 2, 1, "prefix: a\nprefix: b\n" + ONE),
    ("RS201", 1, 1, "- a"),
    ("RS201", 1, 9, "prefix: [a]\n" + ONE),
    ("RS201", 1, 8, "final: yes\n" + ONE),
    ("RS201", 1, 1, "{a: b}: c\n" + ONE),
    ("RS202", 1, 1, "sufixes: [.jpg]\n" + ONE),
    ("RS202", 1, 42, "derivatives: [{name: t, to: x, style: s, extra: 2}]"),
    ("RS203", 1, 1, "prefix: a\n"),
    ("RS203", 1, 15, "derivatives: [{to: x, style: s}]"),
    ("RS204", 1, 9, "prefix: no\n" + ONE),
    ("RS204", 1, 9, "prefix: 2026\n" + ONE),
    ("RS204", 1, 8, "prefix:\n" + ONE),
    ("RS205", 1, 11, "min_size: big\n" + ONE),
    ("RS206", 1, 11, "suffixes: []\n" + ONE),
    ("RS206", 1, 14, "derivatives: []"),
    ("RS206", 1, 10, "include: []\n" + ONE),
    ("RS207", 1, 22, "derivatives: [{name: A b, to: x, style: s}]"),
    ("RS208", 1, 50, "derivatives: [{name: t, to: x, style: s}, {name: t, to: y, style: s}]"),
    ("RS209", 1, 15, "derivatives: [{name: t, to: x}]"),
    ("RS209", 1, 15, "derivatives: [{name: t, to: x, style: s, rule: imageMogr2/auto-orient}]"),
    ("RS210", 1, 9, "bucket: photos\n" + ONE),
    ("RS211", 1, 11, "min_size: 2\nmax_size: 1\n" + ONE),
    ("RS301", 1, 32, "derivatives: [{name: t, to: 'x/{pth}', style: s}]"),
    ("RS302", 1, 15, 'include: ["a/b***"]\n' + ONE),
    ("RS303", 1, 12, "suffixes: [jpg]\n" + ONE),
    ("RS303", 1, 12, "suffixes: [.]\n" + ONE),
    ("RS304", 1, 9, "prefix: /a\n" + ONE),
    ("RS304", 1, 11, "exclude: ['/raw/**']\n" + ONE),
    ("RS305", 2, 12, ONE + "examples: {/a: []}"),
    ("RS305", 2, 16, ONE + "examples: {a: [/b]}"),
    ("RS306", 1, 39, "derivatives: [{name: t, to: x, style: a/b}]"),
    ("RS307", 2, 16, ONE + "examples: {a: [b/../c]}"),
    ("RS309", 2, 13, ONE + "on_failure: failures/"),
    ("RS309", 2, 13, ONE + "on_failure: /failures"),
    ("RS308", 2, 11, ONE + "manifest: /m/{spec}.json"),
    ("RS307", 2, 16, ONE + f"examples: {{a: [{'k' * 851}]}}"),
    ("CI601", 1, 39, "derivatives: [{name: t, to: x, steps: []}]"),
    ("CI602", 1, 41, "derivatives: [{name: t, to: x, steps: [{fromat: webp}]}]"),
]


@pytest.mark.parametrize(("code", "line", "column", "text"), FAULTY)
def test_one_fault(code: str, line: int, column: int, text: str) -> None:
    assert places(text) == [(code, line, column)]


def test_bytes_that_are_no_text() -> None:
    assert places("prefix: é\nbucket: ".encode() + b"\xff") == [("RS102", 2, 9)]
    assert places("prefix: a\n".encode("utf-16")) == [("RS102", 1, 1)]
    assert places(b"prefix: a\0b") == [("RS103", 1, 10)]
    assert places(b"a: \x1b[31m") == [("RS103", 1, 4)]
    assert read("\ufeff" + ONE)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.yml"
    with large.open("wb") as stream:
        stream.truncate(100_000_000)
    loaded = load(large)
    assert loaded.rule_sets == ()
    assert [(f.code, "100000000 bytes" in f.message) for f in loaded.faults] == [("RS101", True)]
    assert places(b"#" * 300_000) == [("RS101", 1, 1)]


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi"))
    assert places(bomb) == [("RS107", 1, 4)]


def test_a_file_of_faults_is_given_up() -> None:
    found = faults_of("".join(f"key{i}: 1\n" for i in range(20_000)))
    assert len(found) == 101
    assert found[-1].code == "RS115"


def test_many_warnings_are_no_reason_to_give_up() -> None:
    each = "- {{name: t{0}, to: '/d/{{path}}.{0}.jpg', rule: imageMogr2/auto-orient/format/webp}}\n"
    made, faults = load_text("derivatives:\n" + "".join(each.format(i) for i in range(150)), "r.yml")
    assert made is not None
    assert len(faults) == 150


def test_all_faults_of_a_file_at_once() -> None:
    assert places(
        """\
        prefix: /products/
        sufixes: [.jpg]
        exclude: ["a[", "b***"]
        derivatives:
          - name: Thumb
            to: /d/{pth}
            rule: imageMogr2/quality/101/fromat/webp
          - to: /e/{path}.webp
            steps: [{rotate: 400}]
        """
    ) == [
        ("RS304", 1, 9),
        ("RS202", 2, 1),
        ("RS302", 3, 13),
        ("RS302", 3, 19),
        ("RS207", 5, 11),
        ("RS301", 6, 12),
        ("CI208", 7, 30),
        ("CI104", 7, 34),
        ("RS203", 8, 5),
        ("CI207", 9, 22),
    ]


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("sufixes: any", "did you mean `suffixes`?"),
        ("zzz: any", "known: prefix, suffixes"),
        ("prefix: /a", "write 'a'"),
        ("prefix: off", 'put quotes around it: "off"'),
        ("suffixes: ['*.JPG']", "write .JPG"),
        ("suffixes: .jpg", "write [.jpg]"),
        ("final: yes", "write true"),
        ("exclude: [*raw]", "needs quotes"),
        ("exclude: [**/raw]", "may need quotes"),
        ("derivatives: [{name: A b, to: '/{pth}', style: s}]", "write a-b"),
        ("derivatives: [{name: a, to: '/{pth}', style: s}]", "did you mean `{path}`?"),
    ],
)
def test_mends(text: str, mend: str) -> None:
    assert mend in " ".join(fault.mend or "" for fault in faults_of(text + "\n"))


def test_a_fault_drawn_under_wide_letters_and_without_control_signs() -> None:
    shown = render(
        Fault(
            code="RS301",
            level=ERROR,
            message="not\x1b[31m so",
            where=Where("r.yml", 1, 4),
            source_line="猫\t猫x\x9b",
            caret_length=2,
        )
    )
    assert shown == "r.yml:1:4: error RS301: not\ufffd[31m so\n    猫 猫x\ufffd\n         ^^"


def test_a_folder(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "sub/c.yml", ".hidden/d.yml", ".e.yml", "readme.md", "schema.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(ONE, encoding="utf-8")
    assert [made.name for made in load(tmp_path).rule_sets] == ["a", "b", "c"]
    assert [made.name for made in load([tmp_path / "b.yml", str(tmp_path / "b.yml")]).rule_sets] == ["b"]


def test_all_files_are_read_whatever_is_wrong_with_one(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("prefix: [", encoding="utf-8")
    (tmp_path / "good.yml").write_text(ONE, encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "good.yaml").write_text(ONE, encoding="utf-8")
    loaded = load([tmp_path, tmp_path / "gone.yml"])
    assert [made.name for made in loaded.rule_sets] == ["good"]
    assert [(f.code, Path(f.where.file).name) for f in loaded.errors] == [
        ("RS105", "bad.yml"),
        ("RS114", "good.yaml"),
        ("RS113", "gone.yml"),
    ]


def test_every_code_is_shown_here_and_in_the_table() -> None:
    here = {code for code, *_ in FAULTY} | set(re.findall(r'"(RS\d+)"', Path(__file__).read_text(encoding="utf-8")))
    assert {code for code in here if code.startswith("RS")} == set(CODES)


LINES = [
    "prefix: a", "suffixes: [.jpg]", "suffixes: any", "exclude: ['**/x']", "min_size: 5", "final: true", "derivatives:",
    "  - name: t", "    to: /d/{path}", "    rule: imageMogr2/strip", "    steps: [{rotate: 90}]", "examples: {a: []}",
    "  ", "- x", "&a", "*a", "? {", "]", "|", "'", "\t", "<<: 1", "---", "!x y", "猫: no", ": :", "a: {b: [c]}",
]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join) | st.text(max_size=60) | st.binary(max_size=60))
def test_any_content_is_a_rule_set_or_refused_in_its_own_lines(content: str | bytes) -> None:
    made, faults = load_text(content, "r.yml")
    assert made is not None or any(fault.level == ERROR for fault in faults)
    shown = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    for fault in faults:
        assert 1 <= fault.where.line <= len(re.split("\r\n|[\r\n\x85\u2028\u2029]", shown))
        assert fault.where.column <= len(shown) + 1
        assert render(fault)
