"""The demo's pictures are what they say they are."""

from itertools import pairwise
from pathlib import Path

import pytest
import pyvips

from demo.checks import sniff
from demo.pictures import PUT, Picture, UnreadablePicture, all_pictures, orientation, users


@pytest.fixture(scope="module")
def pictures() -> dict[str, Picture]:
    made = list(all_pictures())
    assert len({picture.key for picture in made}) == len(made) >= 8
    return {picture.filename: picture for picture in made}


def opened(picture: Picture) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(picture.data, "")


def halves(image: pyvips.Image) -> tuple[float, float]:
    """Mean brightness of the left and of the right half."""
    middle = image.width // 2
    return image.crop(0, 0, middle, image.height).avg(), image.crop(middle, 0, middle, image.height).avg()


def test_the_key_that_is_hard_to_quote(pictures: dict[str, Picture]) -> None:
    assert pictures["茶壶 50%+1.jpg"].key == "products/新品 2026/茶壶 50%+1.jpg"


def test_the_sideways_photograph(pictures: dict[str, Picture]) -> None:
    vase = pictures["vase.jpg"]
    stored = opened(vase)
    assert orientation(stored) == 6
    assert stored.width > stored.height
    assert (vase.width, vase.height) == (stored.height, stored.width)


def test_the_mirrored_photograph_shows_its_lamp_on_the_left_only_when_turned(pictures: dict[str, Picture]) -> None:
    lamp = pictures["moon lamp.jpg"]
    stored = opened(lamp)
    assert orientation(stored) == 5
    assert (lamp.width, lamp.height) == (stored.height, stored.width)
    left, right = halves(stored.autorot())
    assert left > right * 1.3


def test_the_cut_out_has_alpha_around_it(pictures: dict[str, Picture]) -> None:
    panda = opened(pictures["panda.png"])
    assert sniff(pictures["panda.png"].data) == "png"
    assert panda.hasalpha()
    assert panda(0, 0)[3] == 0
    assert panda(panda.width // 2, panda.height // 2)[3] == 255


def test_the_animation(pictures: dict[str, Picture]) -> None:
    sea = pictures["evening sea.gif"]
    assert sniff(sea.data) == "gif"
    assert sea.frames == 12
    strip = pyvips.Image.new_from_buffer(sea.data, "n=-1")
    frames = [strip.crop(0, n * sea.height, sea.width, sea.height)[0:3] for n in range(12)]
    assert all((one - other).abs().avg() > 0.5 for one, other in pairwise(frames))


def test_the_print_has_four_inks_and_a_profile(pictures: dict[str, Picture]) -> None:
    image = opened(pictures["persimmons.jpg"])
    assert image.interpretation == "cmyk"
    assert image.bands == 4
    assert image.get_typeof("icc-profile-data")


def test_the_large_photograph_has_24_megapixels(pictures: dict[str, Picture]) -> None:
    mountains = pictures["mountains.jpg"]
    assert (mountains.width, mountains.height) == (6000, 4000)
    assert sniff(mountains.data) == "jpeg"


def test_the_webp(pictures: dict[str, Picture]) -> None:
    assert sniff(pictures["aurora.webp"].data) == "webp"


def test_one_goes_by_derivo_put(pictures: dict[str, Picture]) -> None:
    assert [picture.filename for picture in pictures.values() if picture.via == PUT] == ["harbour.jpg"]


def test_no_two_look_alike(pictures: dict[str, Picture]) -> None:
    tiles = [
        pyvips.Image.thumbnail_buffer(picture.data, 16, height=16, size="force", export_profile="srgb")[0:3]
        .cast("float")
        .copy_memory()
        for picture in pictures.values()
    ]
    differences = [(one - other).abs().avg() for i, one in enumerate(tiles) for other in tiles[:i]]
    assert min(differences) > 15


def test_the_users_own_picture(tmp_path: Path, pictures: dict[str, Picture]) -> None:
    path = tmp_path / "my & own 图.JPG"
    path.write_bytes(pictures["vase.jpg"].data)
    own = users(path)
    assert own.key == "products/my & own 图.JPG"
    assert (own.width, own.height) == (pictures["vase.jpg"].width, pictures["vase.jpg"].height)


def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path, pictures: dict[str, Picture]) -> None:
    (tmp_path / "text.jpg").write_text("no image at all")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "cut.jpg").write_bytes(pictures["vase.jpg"].data[:9000])
    with (tmp_path / "large.jpg").open("wb") as large:
        large.truncate(33 << 20)
    for name in ("text.jpg", "empty.jpg", "cut.jpg", "large.jpg", "missing.jpg", "."):
        with pytest.raises(UnreadablePicture) as refused:
            users(tmp_path / name)
        assert str(tmp_path) in str(refused.value)
        assert "\n" not in str(refused.value)
