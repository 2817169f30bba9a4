"""docs/coverage.md says what the code offers."""

from pathlib import Path

from coslocal.coverage import page, unlisted

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "refresh it: python -m coslocal.coverage > docs/coverage.md"


def test_the_page_names_every_image_operation() -> None:
    assert unlisted() == set()
