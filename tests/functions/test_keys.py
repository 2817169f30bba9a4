"""Key templates: the variables' laws, COS's fileid, and the templates and keys that are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivo.ci.limits import KEY_BYTES
from derivo.keys import TemplateError, Text, Variable, defect, expand, parse, resolve_fileid

tricky = st.sampled_from(["a", "/", ".", "jpg", "猫", " +%"])
source_keys = st.text(min_size=1, max_size=40) | st.lists(tricky, min_size=1).map("".join)


def key(template: str, source_key: str) -> str:
    return expand(parse(template), source_key=source_key, derivative="thumb", spec="0a1b")


@pytest.mark.parametrize(
    ("template", "source_key", "expected"),
    [
        ("/derived/{path}.thumb.webp", "products/a b.JPG", "derived/products/a b.JPG.thumb.webp"),
        ("/{dir}/{derivative}/{name}", "p/q/a.jpg", "p/q/thumb/a.jpg"),
        ("/{dir}/{derivative}/{name}", "a.jpg", "thumb/a.jpg"),
        ("/x/{stem}-{spec}.{ext}", "a.b.jpg", "x/a.b-0a1b.jpg"),
        ("/x/{stem}-{spec}.{ext}", "a", "x/a-0a1b"),
        ("/x/{stem}_{ext}.webp", ".jpg", "x/.jpg_.webp"),
        ("a/b", "p1/x.jpg", "p1/a/b"),
        ("a/b", "x.jpg", "a/b"),
        ("{name}.webp", "/x.jpg", "/x.jpg.webp"),
        ("/d/{path}", "a//b + %20.jpg", "d/a//b + %20.jpg"),
        ("/{{{derivative}}}/{name}", "a", "{thumb}/a"),
        ("/{dir}x", "p/a", "px"),
        ("/.{ext}/{name}", "a.jpg", ".jpg/a.jpg"),
    ],
)
def test_expansion(template: str, source_key: str, expected: str) -> None:
    assert key(template, source_key) == expected


@given(source_keys)
def test_the_parts_of_a_key_give_it_back(source_key: str) -> None:
    assert key("/{path}", source_key) == source_key
    if not source_key.endswith("/"):
        assert key("/{dir}/{name}", source_key) == source_key
        assert key("{name}", source_key) == source_key
    assert key("/{dir}/{stem}.{ext}", source_key) == source_key
    assert key("{stem}.{ext}", source_key) == source_key


@given(st.sampled_from(["{name}.w", "d/{stem}.{ext}", "{derivative}/{path}", "{stem}{ext}x"]), source_keys)
def test_a_relative_template_is_a_relative_fileid(template: str, source_key: str) -> None:
    assert key(template, source_key) == source_key[: source_key.rfind("/") + 1] + key("/" + template, source_key)


@pytest.mark.parametrize(
    ("fileid", "expected"),
    [
        ("/p2/test2.jpg", "p2/test2.jpg"),
        ("p2/test2.jpg", "p1/p2/test2.jpg"),
        ("/p1/test1.jpg", "p1/test1.jpg"),
        ("//a", "/a"),
    ],
)
def test_fileid(fileid: str, expected: str) -> None:
    assert resolve_fileid(fileid, "p1/test1.jpg") == expected


@pytest.mark.parametrize("fileid", ["", "/", "a/", "/a/b/"])
def test_a_fileid_without_a_name_is_refused(fileid: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        resolve_fileid(fileid, "p1/test1.jpg")


def test_units() -> None:
    assert parse("/{dir}/{stem}.{ext}").parts == (Variable("dir/"), Variable("stem"), Variable(".ext"))
    assert parse("d.{ext}x").parts == (Text("d"), Variable(".ext"), Text("x"))


@pytest.mark.parametrize(
    ("template", "offset", "mend"),
    [
        ("/d/{nmae}.webp", 3, "{name}"),
        ("/d/{zzz}", 3, "{path}"),
        ("/d/{name", 3, "{{"),
        ("/d/name}", 7, "}}"),
        ("/d/../{name}", 3, ""),
        ("/./{name}", 1, ""),
        ("/d//{name}", 3, "slash"),
        ("//{name}", 1, "slash"),
        ("/{dir}//{name}", 7, "slash"),
        ("/d/", 2, "{name}"),
        ("/", 0, "{name}"),
        ("", 0, "{name}"),
        ("/d/{dir}", 7, "{name}"),
        ("/d/{dir}/", 8, "{name}"),
        ("/d/{ext}", 7, "{name}"),
        ("/d/.{ext}", 8, "{name}"),
        ("{ext}", 4, "{name}"),
        ("/d/\ud800", 3, ""),
        ("/" + "é" * 426, 0, ""),
        ("x" * 5000, 0, ""),
    ],
)
def test_a_faulty_template_is_refused_at_its_character(template: str, offset: int, mend: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parse(template)
    assert refused.value.offset == offset
    assert mend in refused.value.mend


PIECES = ["{path}", "{dir}", "{name}", "{stem}", "{ext}", "{spec}", "/", ".", "..", "x", "{{", "}}", "猫"]


@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(alphabet="{}/.dirname", max_size=12),
    source_keys,
)
def test_an_accepted_template_never_gives_a_key_without_a_name(template: str, source_key: str) -> None:
    try:
        made = key(template, source_key)
    except TemplateError as error:
        assert 0 <= error.offset <= max(len(template) - 1, 0)
        return
    if not source_key.endswith("/"):
        assert made
        assert not made.endswith("/")


@pytest.mark.parametrize(
    ("made", "source_key", "reason"),
    [
        ("d/a//b", "a//b", None),
        ("d/a//b", "a/b", "bad_key"),
        ("/d", "d", "bad_key"),
        ("d/../b", "../b", "bad_key"),
        ("./b", "b", "bad_key"),
        ("d/..b/.c", "b", None),
        ("d/", "b", "bad_key"),
        ("", "b", "bad_key"),
        ("d/\udcff", "b", "bad_key"),
        ("é" * (KEY_BYTES // 2), "b", None),
        ("é" * (KEY_BYTES // 2) + "x", "b", "key_too_long"),
    ],
)
def test_a_key_that_cannot_be_used(made: str, source_key: str, reason: str | None) -> None:
    found = defect(made, source_key)
    assert (found[0] if found else None) == reason
