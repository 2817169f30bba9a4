"""Compiled rule sets: equal to what was compiled, read without YAML, and never taken for what they are not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo import __version__, compiled, globs, keys
from derivo.ci import spec_digest
from derivo.loading import load, load_text
from derivo.rulesets import DELETE, KEEP, Derivative, Example, RuleSet, Where
from tests.functions.ci import trees

ROOT = Path(__file__).resolve().parents[2]

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
places = st.builds(Where, words, st.integers(1, 9999), st.integers(1, 999))
templates = st.sampled_from(
    ["/out/{path}.webp", "{dir}/{stem}.t.{ext}", "{derivative}-{spec}/{{}}/{name}", "/缩略/{path}"]
).map(keys.parse)
patterns = st.sampled_from(["**/raw/**", "*.jpg", "a/[!x-z]?/**", "北京/[a-cä]*", "[*]"]).map(globs.parse)
sizes = st.none() | st.integers(0, 2**40)


@st.composite
def derivatives(draw: st.DrawFn) -> Derivative:
    rule = draw(trees.rules)
    return Derivative(
        name=draw(names), to=draw(templates), rule=rule, spec=spec_digest(rule), bucket=draw(st.none() | words),
        keep_original_on_error=draw(st.booleans()), where=draw(places), rule_where=draw(places),
    )  # fmt: skip


def several(of: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=most).map(tuple)


rule_sets = st.builds(
    RuleSet, name=names, prefix=words, suffixes=st.none() | several(words), include=several(patterns),
    exclude=several(patterns), min_size=sizes, max_size=sizes, bucket=st.none() | words, final=st.booleans(),
    chained=st.booleans(), immutable=st.booleans(), manifest=st.none() | templates,
    on_remove=st.sampled_from([KEEP, DELETE]), on_failure=st.none() | words, derivatives=several(derivatives()),
    examples=several(st.builds(Example, key=words, expected=several(words), where=places)), where=places,
)  # fmt: skip


@given(several(rule_sets))
def test_what_is_read_back_equals_what_was_compiled(made: tuple[RuleSet, ...]) -> None:
    data = compiled.encode(made, "digest")
    assert compiled.decode(data) == made
    assert compiled.encode(compiled.decode(data), "digest") == data


def test_our_own_rule_sets_equal_what_reading_them_gives(tmp_path: Path) -> None:
    read = load(ROOT / "rules")
    assert len(read.rule_sets) > 2
    file = tmp_path / compiled.FILE
    file.write_bytes(compiled.encode(read.rule_sets, ""))
    loaded = compiled.load(file)
    assert loaded.rule_sets == read.rule_sets
    assert loaded.faults == ()
    # equal is not enough where a type is another one: what is matched and planned has to be as well
    for one, other in zip(loaded.rule_sets, read.rule_sets, strict=True):
        assert msgspec.to_builtins(one) == msgspec.to_builtins(other)


@given(st.binary(max_size=80))
def test_other_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not compiled rule sets|compiled by derivo"):
        compiled.decode(data)


@given(st.data())
def test_damaged_ones_are_refused_or_whole_rule_sets(data: st.DataObject) -> None:
    made, _ = load_text(
        "prefix: in/\nderivatives: [{name: t, to: '/o/{path}', rule: imageMogr2/thumbnail/9x}]\n", "a.yml"
    )
    assert made is not None
    whole = bytearray(compiled.encode((made,), "digest"))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        assert all(isinstance(rule_set, RuleSet) for rule_set in compiled.decode(bytes(whole)))
    except ValueError as error:
        assert "compiled" in str(error)


def test_those_of_another_version_are_not_guessed_at() -> None:
    data = compiled.encode((), "digest").replace(__version__.encode(), b"9.9.9")
    with pytest.raises(ValueError, match=r"compiled by derivo 9\.9\.9, and this is"):
        compiled.decode(data)


@pytest.mark.parametrize("content", [None, b"", b"prefix: in/"])
def test_a_file_that_cannot_be_used_is_a_fault_with_its_mend(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / compiled.FILE
    if content is not None:
        file.write_bytes(content)
    loaded = compiled.load(file)
    assert loaded.rule_sets == ()
    (fault,) = loaded.errors
    assert fault.where.file == str(file)
    assert fault.mend == "run derivo package again"


def test_no_yaml_and_no_grammar_is_imported_to_read_them(tmp_path: Path) -> None:
    file = tmp_path / compiled.FILE
    file.write_bytes(compiled.encode(load(ROOT / "rules").rule_sets, ""))
    program = (
        "import sys; from pathlib import Path; from derivo import compiled, plan\n"
        f"assert compiled.load(Path({str(file)!r})).rule_sets\n"
        "print(*sorted(name for name in sys.modules if name == 'yaml' or name.startswith('derivo.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "functions", capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "derivo.ci.printer" in loaded
    needless = {
        "yaml",
        "derivo.loading",
        "derivo.rulefile",
        "derivo.ci.grammar",
        "derivo.ci.checks",
        "derivo.ci.advice",
    }
    assert not needless & set(loaded)
