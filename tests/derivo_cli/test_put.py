"""derivo put: the image and its derivatives are there, and a wrong call is one line."""

from __future__ import annotations

import json

import pytest

from tests.derivo_cli.shell import RULES, Shell


def test_an_image_and_its_derivative_are_there(shell: Shell) -> None:
    done = shell.derivo("put", "a b.png", f"cos://{shell.server.bucket}/in/新/a b.png")
    assert done.returncode == 0, done.stderr
    assert "out/in/新/a b.png.webp" in done.stdout
    assert "written" in done.stdout
    store = shell.server.app.store
    assert [item.key for item in store.scan(shell.server.bucket)] == ["in/新/a b.png", "out/in/新/a b.png.webp"]


def test_many_files_go_into_a_folder_and_one_that_fails_keeps_none_back(shell: Shell) -> None:
    done = shell.derivo("put", "text.png", "a b.png", f"cos://{shell.server.bucket}/in/", "--json")
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["key"] for record in records] == ["in/text.png", "in/a b.png"]
    assert [record["derivatives"][0]["outcome"] for record in records] == [
        "failed(permanent, InvalidImageFormat)",
        "written",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a b.png", "in/a.png"], "not a COS address"),
        (["a b.png", "cos://photos/in/a.png"], "full name"),
        (["a b.png", "text.png", "cos://photos-1250000000/in/a.png"], "end the address with /"),
        (["missing.png", "cos://photos-1250000000/in/"], "no such file: missing.png"),
        (["a b.png", "cos://photos-1250000000/in/", "--rules", "elsewhere"], "there is no elsewhere"),
    ],
)
def test_a_wrong_call_is_one_line_and_2(shell: Shell, arguments: list[str], said: str) -> None:
    done = shell.derivo("put", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_bucket_that_does_not_exist_is_one_line_and_1(shell: Shell) -> None:
    done = shell.derivo("put", "a b.png", "cos://nowhere-1250000000/in/a.png")
    assert done.returncode == 1
    assert "NoSuchBucket" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_without_credentials_it_says_what_to_set(shell: Shell) -> None:
    del shell.environ["TENCENTCLOUD_SECRETKEY"]
    done = shell.derivo("put", "a b.png", f"cos://{shell.server.bucket}/in/a.png")
    assert done.returncode == 2
    assert "TENCENTCLOUD_SECRETKEY not set" in done.stderr


def test_a_broken_rule_set_stops_it_before_anything_is_sent(shell: Shell) -> None:
    (shell.folder / "rules" / "bad.yml").write_text(RULES.replace("thumbnail", "thumbnial"), "utf-8")
    done = shell.derivo("put", "a b.png", f"cos://{shell.server.bucket}/in/a.png")
    assert done.returncode == 1
    assert "bad.yml:2:" in done.stderr
    assert shell.server.app.journal.count() == 0
