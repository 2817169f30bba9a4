"""Image operations."""

from __future__ import annotations

from coslocal.ci import bmp
from coslocal.ci.render import render
from derivo.ci.texts import encode

from ..ci.conftest import GREEN, RED
from .probing import BLACK, CLEAR, DRAW, GRADIENT, JPEG, PNG, WHITE, World, probe


@probe("segment-order", fixed=(30, 30), textual=(60, 60))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/crop/30x30/thumbnail/x60")


@probe("rounding", expect={"half-up": [20, 19], "down": [19, 19], "up": [20, 20]})
def _(world: World) -> object:
    """The heights of 19.8 and of 19.2 pixels."""
    return [world.render(PNG, f"imageMogr2/thumbnail/{width}x").size[1] for width in (33, 32)]


@probe("upscale", allow=(200, 120), never=(100, 60))
def _(world: World) -> object:
    assert world.seen(PNG, "imageView2/2/w/200/h/200") == world.seen(PNG, "imageMogr2/thumbnail/200x200")
    return world.seen(PNG, "imageMogr2/thumbnail/200x200")


@probe("animated-upscale", keep=(20, 10), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(DRAW.animation(20, 10, [RED, GREEN]), "imageMogr2/thumbnail/40x")


@probe("pad-colour", expect={"#FFFFFF": WHITE, "#3D3D3D": (61, 61, 61)})
def _(world: World) -> object:
    return world.render(PNG, "imageMogr2/thumbnail/50x50/pad/1").at(0, 0)


@probe("crop", expect={"scale-then-crop": True, "window": False})
def _(world: World) -> object:
    """A square of half the height: of the whole height shrunk, or of the top as it is."""
    seen = world.render(PNG, "imageMogr2/crop/30x30")
    assert seen.size == (30, 30)
    return seen.at(2, 28)[2] > 200


@probe("crop-gravity", northwest=True, center=False)
def _(world: World) -> object:
    return world.render(GRADIENT, "imageMogr2/crop/100x100").at(0, 50)[0] < 20


@probe("crop-beyond", clamp=(100, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/crop/500x500")


@probe("cut-outside", clip=(10, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/cut/50x60x90x0")


@probe("rcrop-units", ratio=(60, 60), pixels=(30, 30))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/rcrop/30x30")


@probe("rcrop-anchor", center=False, northwest=True)
def _(world: World) -> object:
    return world.render(GRADIENT, "imageMogr2/rcrop/1x1").at(0, 50)[0] < 20


@probe("scrop-face", found=(30, 30), none=(100, 60))
def _(world: World) -> object:
    return world.seen(PNG, "imageMogr2/scrop/30x30")


@probe("iradius-canvas", circle=(20, 20), source=(100, 60))
def _(world: World) -> object:
    seen = world.render(PNG, "imageMogr2/iradius/10")
    assert seen.at(0, 0)[3] == 0
    return seen.size


@probe("radius-fill", transparent=[0, 0], white=[WHITE, WHITE])
def _(world: World) -> object:
    corners = [world.render(PNG, f"imageMogr2/{name}/20").at(0, 0) for name in ("iradius", "rradius")]
    return [corner[3] if len(corner) == 4 else corner for corner in corners]


@probe("rotate-canvas", grow=(113, 113), keep=(100, 60))
def _(world: World) -> object:
    assert world.seen(PNG, "imageMogr2/rotate/90") == (60, 100)
    return world.seen(PNG, "imageMogr2/rotate/45")


@probe("rotate-fill", transparent=(0, 0, 0, 0), white=(*WHITE, 255), black=(*BLACK, 255))
def _(world: World) -> object:
    return world.render(PNG, "imageMogr2/rotate/45").at(1, 1)


@probe("alpha-in-jpg", white=[WHITE, WHITE], black=[BLACK, BLACK])
def _(world: World) -> object:
    source = DRAW.file(CLEAR, "png")
    jpg = world.render(source, "imageMogr2/format/jpg/quality/100!").at(5, 5)
    raw = render(source, "imageMogr2/format/bmp", world.surroundings()).data
    return [jpg, tuple(bmp.decode(raw)[0][:3])]


@probe("quality-combination", expect={"smaller-then-floor": 60, "quality-wins": 40})
def _(world: World) -> object:
    return world.render(JPEG, "imageMogr2/quality/40/lquality/60").rendered.quality


@probe("size-limit-formats", expect={"lossy": (100, 60), "jpg-only": "InvalidPicOperations"})
def _(world: World) -> object:
    assert world.seen(JPEG, "imageMogr2/strip/size-limit/9k") == (100, 60)
    return world.seen(JPEG, "imageMogr2/format/webp/size-limit/9k")


@probe("size-limit-unmet", smallest=(400, 400), refuse="InvalidPicOperations")
def _(world: World) -> object:
    return world.seen(DRAW.file(DRAW.noise(400, 400), "jpeg"), "imageMogr2/strip/size-limit/1k")


@probe("size-limit-stored", accept=(100, 60), refuse="InvalidPicOperations")
def _(world: World) -> object:
    rule = "imageMogr2/strip/size-limit/9k"
    assert world.seen(JPEG, rule, persistent=False) == (100, 60)
    return world.seen(JPEG, rule)


@probe("ignore-error", expect={"any": (100, 60), "too-large": "InvalidPicOperations"})
def _(world: World) -> object:
    huge = "imageMogr2/thumbnail/!1000p|imageMogr2/thumbnail/!1000p|imageMogr2/thumbnail/!1000p/ignore-error/1"
    assert world.seen(PNG, huge) == (100, 60)
    return world.seen(PNG, "imageMogr2/rradius/500/ignore-error/1")


@probe("mark-too-large", cut=(20, 20), refuse="InvalidPicOperations")
def _(world: World) -> object:
    mark = {"http://m/": DRAW.file(DRAW.plain(50, 50, *RED), "png")}
    return world.seen(
        DRAW.file(DRAW.plain(20, 20, *GREEN), "png"), f"watermark/1/image/{encode('http://m/')}", marks=mark
    )


@probe("truncated", refuse=["InvalidImageSource"] * 3, render=[(200, 200), (50, 50), "whole"])
def _(world: World) -> object:
    whole = DRAW.file(DRAW.noise(200, 200), "jpeg")
    cut = whole[: len(whole) // 2]
    world.put("cut.jpg", cut)
    facts = world.refusal(lambda: world.process(key="cut.jpg")) or "whole"
    return [world.seen(cut, "imageMogr2/format/png"), world.seen(cut, "imageMogr2/thumbnail/50x/format/png"), facts]
