"""derivo lint as a user sees it: everything that is wrong, at once, with place, code and mend."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.derivo_cli.running import Derivo

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
prefix: in/
derivatives:
  - name: thumb
    to: /derived/{path}.webp
    rule: imageMogr2/auto-orient/thumbnail/200x200>/format/webp
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    return made


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(dedent(text), "utf-8")


def codes(derivo: Derivo) -> list[str]:
    return [fault["code"] for fault in json.loads(derivo("lint", "--format", "json").out)]


def test_the_samples_are_right(derivo: Derivo) -> None:
    done = derivo("lint", ROOT / "rules", "--serverless", ROOT / "serverless.yml")
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(": 0 errors, 0 warnings\n")


def test_everything_wrong_in_every_file_is_told_at_once_in_order(derivo: Derivo, folder: Path) -> None:
    write(
        folder,
        a="prefix: /a\nsuffixs: [.jpg]\n" + GOOD[12:],
        b=GOOD.replace("200x200>", "200x0>").replace("{path}", "{pth}"),
        c=GOOD.replace("in/", "fine/") + "examples: {fine/x.jpg: []}\n",
        d="prefix: [\n",
    )
    done = derivo("lint")
    assert done.code == 1
    assert [line for line in done.out.splitlines() if line.startswith("rules/")] == [
        "rules/a.yml:1:9: error RS304: a prefix has no leading slash: the keys of objects have none",
        "rules/a.yml:2:1: error RS202: unknown key 'suffixs' in a rule set",
        "rules/b.yml:4:18: error RS301: unknown variable `{pth}`",
        "rules/b.yml:5:48: error CI203: thumbnail height 0 is outside 1..10000",
        "rules/c.yml:6:12: error EX101: example 'fine/x.jpg' does not hold: 1 made and not expected",
        "rules/d.yml:2:1: error RS105: not YAML: while parsing a flow node: did not find expected node content",
    ]
    assert (
        done.err == "lint: 1 rule set, 1 example, 3 files with errors, left out of the proofs: 6 errors, 0 warnings\n"
    )


def test_an_error_has_its_line_a_caret_and_a_mend(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD.replace("{path}", "{pth}"))
    assert derivo("lint").out == dedent(
        """\
        rules/a.yml:4:18: error RS301: unknown variable `{pth}`
                to: /derived/{pth}.webp
                             ^
          mend: did you mean `{path}`?
        """
    )


def test_of_a_long_line_the_part_around_the_caret_is_shown(derivo: Derivo, folder: Path) -> None:
    blanks = "imageMogr2/strip" + "|imageMogr2/strip" * 6 + "|imageMogr2/rotat/90" + "|imageMogr2/strip" * 2
    write(folder, a=GOOD.replace("imageMogr2/auto-orient/thumbnail/200x200>/format/webp", blanks))
    _, line, caret, mend = derivo("lint").out.splitlines()[:4]
    assert max(len(line), len(caret)) <= 80
    assert line[caret.index("^") :].startswith("rotat/90")
    assert caret.strip() == "^^^^^"
    assert mend == "  mend: write rotate"


def test_warnings_alone_are_no_failure(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD.replace("auto-orient/", ""))
    done = derivo("lint")
    assert done.code == 0
    assert "warning CI501" in done.out
    assert done.err.endswith("0 errors, 1 warning\n")


def test_a_broken_file_does_not_hide_what_the_others_do(derivo: Derivo, folder: Path) -> None:
    write(
        folder,
        a="prefix: [",
        loops=GOOD.replace("/derived/", "/in/"),
        shares=GOOD.replace("in/", "s/").replace("{path}", "{name}"),
        fails=GOOD.replace("in/", "f/") + "examples: {f/x.jpg: []}\n",
    )
    found = [
        (fault["where"]["file"], fault["code"][:3]) for fault in json.loads(derivo("lint", "--format", "json").out)
    ]
    assert found == [
        ("rules/a.yml", "RS1"),
        ("rules/fails.yml", "EX1"),
        ("rules/loops.yml", "PF1"),
        ("rules/shares.yml", "PF2"),
    ]


def test_a_failing_example_shows_the_difference(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD + "examples:\n  in/茶 壶.jpg: [derived/in/茶 壶.webp]\n  in/b.txt: []\n")
    done = derivo("lint")
    assert done.code == 1
    assert done.out.splitlines() == [
        "rules/a.yml:7:3: error EX101: example 'in/茶 壶.jpg' does not hold: "
        "1 expected and not made, 1 made and not expected",
        "      in/茶 壶.jpg: [derived/in/茶 壶.webp]",
        "      ^",
        "  - derived/in/茶 壶.webp",
        "  + derived/in/茶 壶.jpg.webp",
        "  mend: correct the example or the rule set; - is expected, + is what the plan gives",
    ]


def test_an_example_is_of_its_own_rule_set_only(derivo: Derivo, folder: Path) -> None:
    other = GOOD.replace("derived", "other")
    write(
        folder, a=GOOD + "examples: {in/x.jpg: [derived/in/x.jpg.webp]}\n", b=other.replace("prefix: in/", "prefix: i")
    )
    assert derivo("lint").code == 0


def test_an_example_heeds_a_final_rule_set_before_its_own(derivo: Derivo, folder: Path) -> None:
    write(
        folder,
        a=GOOD + "examples: {in/x.jpg: [derived/in/x.jpg.webp], in/own/x.jpg: []}\n",
        b=GOOD.replace("in/", "in/own/").replace("derived", "own") + "final: true\n",
    )
    assert derivo("lint").code == 0


def test_why_an_expected_derivative_cannot_be_made_is_told(derivo: Derivo, folder: Path) -> None:
    name = "n" * 830
    write(folder, a=GOOD.replace("{path}", "{stem}") + f"examples: {{in/{name}.jpg: [derived/{name}]}}\n")
    done = derivo("lint", "--format", "json")
    example = next(fault for fault in json.loads(done.out) if fault["code"] == "EX101")
    assert done.code == 1
    assert example["notes"] == [f"- derived/{name}", f"+ derived/{name}.webp"]


def test_a_key_that_grows_over_850_bytes_is_told_where_it_is_expected(derivo: Derivo, folder: Path) -> None:
    name = "n" * 840
    write(folder, a=GOOD + f"examples:\n  in/{name}.jpg:\n    - derived/in/{name}.jpg.webp\n")
    found = json.loads(derivo("lint", "--format", "json").out)
    assert [(fault["code"], fault["where"]["line"]) for fault in found] == [("RS307", 8)]
    assert found[0]["message"] == "no derivative can have this key: the key is 860 bytes long; COS allows 850"


def test_an_example_tells_why_its_derivative_is_not_made(derivo: Derivo, folder: Path) -> None:
    name = "n" * 840
    write(folder, a=GOOD + f"examples:\n  in/{name}.jpg: [derived/x.webp]\n")
    (fault,) = json.loads(derivo("lint", "--format", "json").out)
    assert fault["notes"] == [
        "- derived/x.webp",
        "thumb cannot be made: the key is 860 bytes long; COS allows 850",
    ]


# --- formats ----------------------------------------------------------------------------------------------------------


def test_json_is_one_array_whatever_is_found(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD)
    assert derivo("lint", "--format", "json") == (0, "[]\n", "")
    write(folder, a=GOOD.replace("name: thumb", "name: Thumb"))
    done = derivo("lint", "--format", "json")
    assert done.code == 1
    assert json.loads(done.out) == [
        {
            "code": "RS207",
            "level": "error",
            "message": "a derivative's name is made of a-z, 0-9, `_` and `-`",
            "where": {"file": "rules/a.yml", "line": 3, "column": 11},
            "mend": "write thumb",
            "source_line": "  - name: Thumb",
            "caret_length": 5,
            "notes": [],
        }
    ]


def test_github_gets_one_command_a_finding(derivo: Derivo, folder: Path) -> None:
    write(
        folder,
        **{"a,b": GOOD + "examples: {in/50%.jpg: []}\n", "c": GOOD.replace("auto-orient/", "").replace("in/", "c/")},
    )
    done = derivo("lint", "--format", "github")
    assert done.code == 1
    error, warning = done.out.splitlines()
    assert error == (
        "::error file=rules/a%2Cb.yml,line=6,col=12,title=EX101::example 'in/50%25.jpg' does not hold: "
        "1 made and not expected%0A+ derived/in/50%25.jpg.webp%0A"
        "mend: correct the example or the rule set; - is expected, + is what the plan gives"
    )
    assert warning.startswith("::warning file=rules/c.yml,line=5,col=11,title=CI501::")


def test_an_unknown_format_is_a_usage_error(derivo: Derivo, folder: Path) -> None:
    done = derivo("lint", "--format", "xml")
    assert (done.code, done.out) == (2, "")
    assert "xml" in done.err


# --- where it looks ---------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(derivo: Derivo) -> None:
    done = derivo("lint", "no/such")
    assert done == (2, "", "derivo: there is no no/such; name the folder of your rule sets, or one file\n")


def test_a_folder_without_rule_sets(derivo: Derivo, folder: Path) -> None:
    (folder / "readme.md").write_text("nothing", "utf-8")
    done = derivo("lint")
    assert done.code == 0
    assert done.err == "lint: 0 rule sets, 0 examples: 0 errors, 0 warnings\n"


def test_one_file(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD, b="prefix: [")
    assert derivo("lint", "rules/a.yml").code == 0
    assert derivo("lint", "rules/b.yml").code == 1


def test_another_tools_serverless_yml_is_left_aside(derivo: Derivo, folder: Path) -> None:
    write(folder, a=GOOD)
    Path("serverless.yml").write_text("service: theirs\nprovider: {name: aws}\n", "utf-8")
    done = derivo("lint")
    assert done.code == 0
    assert done.err.startswith("lint: serverless.yml is left aside: expected `component: scf`\n")


@pytest.mark.parametrize("text", ["service: theirs", "component: [", "component: scf"])
def test_a_serverless_yml_that_is_named_must_be_one(derivo: Derivo, folder: Path, text: str) -> None:
    write(folder, a=GOOD)
    Path("my.yml").write_text(text, "utf-8")
    done = derivo("lint", "--serverless", "my.yml")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("derivo: my.yml: ")


# --- bad input: one error each ----------------------------------------------------------------------------------------

BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(20))
TO = "derivatives: [{name: t, to: '%s', rule: imageMogr2/rotate/9}]\n"


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("RS107", BOMB),
        ("RS107", "a: &a [*a]\n"),
        ("RS106", "[" * 100_000),
        ("RS105", "{" * 5 + "a: b: c: d"),
        ("RS112", GOOD + "prefix: twice/\n"),
        ("RS104", GOOD.replace("    to:", "\tto:")),
        ("RS102", b"prefix: \xff\xfe\n"),
        ("RS102", "prefix: ä\n".encode("utf-16")),
        ("RS103", "prefix: a\x00b\n"),
        ("RS108", "!!python/object/apply:os.system [id]\n"),
        ("RS109", "a: 1\n---\nb: 2\n"),
        ("RS110", ""),
        ("RS110", "# nothing\n"),
        ("RS301", TO % "/d/{pth}"),
        ("RS301", TO % "/d/{path"),
        ("RS301", TO % ("/" + "k" * 900)),
        ("RS301", TO % ("/" + "键" * 300 + "/{name}")),
        ("RS301", TO % "../{name}"),
        ("RS301", TO % "/d/../{path}"),
        ("RS301", TO % "/d//{path}"),
        ("RS301", TO % "/d/"),
        ("RS301", TO % ""),
    ],
)
def test_bad_input_is_one_error(derivo: Derivo, folder: Path, code: str, content: str | bytes) -> None:
    (folder / "a.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert codes(derivo) == [code]
    done = derivo("lint")
    assert done.code == 1
    assert done.out.startswith("rules/a.yml:")
    assert (
        done.err == "lint: 0 rule sets, 0 examples, 1 file with errors, left out of the proofs: 1 error, 0 warnings\n"
    )


def test_a_file_of_100_megabytes_is_refused_unread(derivo: Derivo, folder: Path) -> None:
    with (folder / "big.yml").open("wb") as stream:
        stream.truncate(100_000_000)
    done = derivo("lint")
    assert done.code == 1
    assert done.out == (
        "rules/big.yml:1:1: error RS101: the file has 100000000 bytes, more than 262144\n  mend: split it up\n"
    )


def test_a_file_that_may_not_be_read_or_is_none(derivo: Derivo, folder: Path) -> None:
    (folder / "gone.yml").symlink_to(folder / "nowhere")
    (folder / "folder.yml").mkdir()
    assert codes(derivo) == ["RS113"]


def test_ten_thousand_faults_are_not_all_shown(derivo: Derivo, folder: Path) -> None:
    write(folder, a="".join(f"key{n}: 1\n" for n in range(10_000)))
    found = codes(derivo)
    assert len(found) == 101
    assert found[-1] == "RS115"
