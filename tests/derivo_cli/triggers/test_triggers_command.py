"""derivo triggers, typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from derivo_cli import serverless
from tests.derivo_cli.running import Derivo

FILE = """component: scf
name: f
inputs:
  region: ap-guangzhou
  events: # by derivo triggers --write
    - timer: {name: t, parameters: {cronExpression: '0 0 0 * * * *', enable: true}}
"""
RULES = "prefix: {prefix}\nderivatives: [{{name: t, to: '{to}', rule: imageMogr2/thumbnail/20x/format/webp}}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "serverless.yml").write_text(FILE, "utf-8")
    return tmp_path


def rule(folder: Path, name: str, prefix: str, to: str = "/d/{path}.webp", more: str = "") -> None:
    (folder / "rules" / f"{name}.yml").write_text(RULES.format(prefix=prefix, to=to) + more, "utf-8")


def test_the_file_is_shown_then_written_then_up_to_date(derivo: Derivo, folder: Path) -> None:
    rule(folder, "r", "in/", more="on_remove: delete\n")
    shown = derivo("triggers")
    assert shown.code == 1
    assert "+          filter: {prefix: in/}" in shown.out
    assert (folder / "serverless.yml").read_text() == FILE
    assert (derivo("triggers", "--check").code, derivo("triggers", "--check").out) == (1, "")
    written = derivo("triggers", "--write")
    assert (written.code, "2 COS triggers" in written.err) == (0, True)
    made = serverless.read(folder / "serverless.yml")
    assert [(t.event, t.prefix) for t in made.triggers] == [
        ("cos:ObjectCreated:*", "in/"),
        ("cos:ObjectRemove:*", "in/"),
    ]
    assert made.timers[0].name == "t"
    assert derivo("triggers", "--check").code == 0
    assert derivo("lint").code == 0


def test_buckets_are_the_options_the_rule_sets_and_the_files(derivo: Derivo, folder: Path) -> None:
    rule(folder, "all", "in/")
    rule(folder, "one", "x/", more="bucket: one-1\n")

    def written() -> list[tuple[str, str]]:
        triggers = serverless.read(folder / "serverless.yml").triggers
        return [(trigger.bucket.partition(".cos.")[0], trigger.prefix) for trigger in triggers]

    assert derivo("triggers", "--write").code == 0
    assert written() == [("${env:DERIVO_BUCKET}", "in/"), ("one-1", "x/")]
    assert derivo("triggers", "--check").code == 0
    assert derivo("triggers", "--write", "--bucket", "two-1").code == 0
    assert written() == [("one-1", "x/"), ("two-1", "in/")]
    assert derivo("triggers", "--check").code == 0
    (folder / "rules" / "all.yml").unlink()
    assert derivo("triggers", "--write").code == 0
    assert written() == [("one-1", "x/")]
    rule(folder, "all", "in/")
    assert derivo("triggers", "--write").code == 0
    assert sorted(written()) == [("one-1", "in/"), ("one-1", "x/")]


def test_variables_tell_which_bucket_it_is(derivo: Derivo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(folder, "r", "in/", more="bucket: one-1\n")
    rule(folder, "s", "x/")
    monkeypatch.setenv("DERIVO_BUCKET", "one-1")
    assert derivo("triggers", "--write", "--bucket", "${env:DERIVO_BUCKET}").code == 0
    assert {t.bucket for t in serverless.read(folder / "serverless.yml").triggers} == {
        "${env:DERIVO_BUCKET}.cos.ap-guangzhou.myqcloud.com"
    }


def test_merged_prefixes_are_told(derivo: Derivo, folder: Path) -> None:
    for number in range(12):
        rule(folder, f"r{number}", f"img/{number:02}/")
    done = derivo("triggers", "--write")
    assert done.code == 0
    assert "img/00/*, img/01/*" in done.err
    assert "-> img/0*" in done.err


@pytest.mark.parametrize(
    ("to", "more", "said"),
    [
        ("/in/small/{path}.webp", 'exclude: ["in/small/**"]\n', "would fire it"),
        ("/in/small/{name}.webp", "", "mend these first"),
        ("nowhere", "bucket: [\n", "mend these first"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_written(
    derivo: Derivo, folder: Path, to: str, more: str, said: str
) -> None:
    rule(folder, "r", "in/", to, more)
    done = derivo("triggers", "--write")
    assert done.code == 1
    assert said in done.err
    assert "mend" in done.err
    assert (folder / "serverless.yml").read_text() == FILE


def test_a_prefix_that_reads_like_a_variable_is_refused(derivo: Derivo, folder: Path) -> None:
    rule(folder, "r", '"${env:X}/"')
    done = derivo("triggers", "--write")
    assert (done.code, "reads like a variable" in done.err) == (1, True)


def test_a_file_that_is_missing_or_odd_is_refused(derivo: Derivo, folder: Path) -> None:
    rule(folder, "r", "in/")
    assert derivo("triggers", "--serverless", "no.yml").code == 2
    (folder / "serverless.yml").write_bytes(b"component: scf\ninputs: {name: f}\n")
    refused = derivo("triggers", "--write")
    assert (refused.code, "block list" in refused.err) == (2, True)
    (folder / "serverless.yml").write_bytes(b"\xff")
    assert derivo("triggers").code == 2
