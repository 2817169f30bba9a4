"""The contact sheets show everything, and other people's text stays text."""

import base64

import pytest
import pyvips

from demo.checks import Seen
from demo.landscapes import sea
from demo.pictures import picture
from demo.poster import poster
from demo.results import Derived, Result, against, amount
from demo.sheet import sheet


@pytest.fixture(scope="module")
def results() -> list[Result]:
    data = bytes(sea(300, 200, 0).jpegsave_buffer())
    small = bytes(sea(150, 100, 0).webpsave_buffer())
    seen = Seen(format="webp", width=150, height=100, frames=1)
    made = [
        Derived(name=f"w{n}", key=f"derived/a.{n}.webp", rule=f"imageMogr2/thumbnail/{n}x", data=small, seen=seen)
        for n in range(1, 8)
    ]
    lost = Derived(name="lost", key="derived/b.webp", rule="imageMogr2/strip", problem="missing: NoSuchKey")
    turned = Derived(
        name="turned",
        key="derived/c.webp",
        rule="imageMogr2/strip",
        data=small,
        seen=Seen(format="webp", width=150, height=100, frames=1, problems=("is upside down",)),
    )
    hostile = picture('products/<script>alert(1)</script> & "茶壶".jpg', data, "a <b>note</b>")
    return [
        Result(picture=picture("products/a.jpg", data, "plain"), rule_set="products", derivatives=tuple(made)),
        Result(picture=hostile, rule_set="products", derivatives=(lost, turned), milliseconds=12),
    ]


def test_the_page_holds_every_derivative_as_it_is(results: list[Result]) -> None:
    page = sheet(results)
    for result in results:
        for derived in result.derivatives:
            assert derived.name in page
            assert derived.rule in page
            assert base64.b64encode(derived.data).decode() in page


def test_the_page_names_what_is_wrong(results: list[Result]) -> None:
    page = sheet(results)
    assert "missing: NoSuchKey" in page
    assert "is upside down" in page


def test_the_page_needs_nothing_beside_it_and_runs_nothing(results: list[Result]) -> None:
    page = sheet(results)
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "&lt;script&gt;" in page


def test_the_picture_is_a_png_that_a_readme_can_show(results: list[Result]) -> None:
    data = poster(results)
    image = pyvips.Image.new_from_buffer(data, "")
    assert data.startswith(b"\x89PNG")
    assert len(data) < 500_000
    assert image.width == 1200


def test_a_failed_run_has_a_sheet_too() -> None:
    assert poster([]).startswith(b"\x89PNG")
    assert "0 sources" in sheet([])


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_600, "100 kB"), (999_600, "1.0 MB")]
)
def test_amounts_for_people(count: int, text: str) -> None:
    assert amount(count) == text


def test_how_a_derivative_compares() -> None:
    assert (against(1000, 100), against(1000, 1200), against(1000, 0)) == ("1/10", "1.2x", "")
