"""Marks: pictures with alpha that are laid over others, and shapes cut with alpha."""

from __future__ import annotations

import pyvips

from coslocal.ci.pixels.picture import Image, Picture, as_rgb, eight_bits, errors, with_alpha


def text_mask(text: str, font: str, font_file: str) -> Picture:
    """The shape of a text, one band: 255 is ink. `font` is a Pango description; PixelError when nothing has ink."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\0", "")
    with errors():
        return Picture((pyvips.Image.text(escaped, font=font, fontfile=font_file).copy_memory(),))


def mask_bytes(mask: Picture) -> bytes:
    """The ink of a text mask, row by row."""
    return bytes(mask.frames[0].write_to_memory())


def paint(mask: Picture, rgb: tuple[int, int, int]) -> Picture:
    """A mark of one colour in the shape of a mask."""

    def colour(shape: Image) -> Image:
        return shape.new_from_image(list(rgb)).bandjoin(shape).cast("uchar").copy(interpretation="srgb")

    return mask.each(colour)


def mark_of(picture: Picture) -> Picture:
    """The first frame as a mark: 8-bit RGB with alpha."""
    return Picture((with_alpha(as_rgb(eight_bits(picture.frames[0]))),))


def blank(width: int, height: int) -> Picture:
    """A fully transparent mark."""
    return Picture((pyvips.Image.black(width, height, bands=4).copy(interpretation="srgb"),))


def fade(mark: Picture, opacity: float) -> Picture:
    """Multiply the alpha by `opacity`, 0..1."""
    factors = [1.0, 1.0, 1.0, opacity]
    return mark.each(lambda frame: (frame * factors).rint().cast("uchar").copy(interpretation="srgb"))


def tile(mark: Picture, width: int, height: int, gap_x: int, gap_y: int) -> Picture:
    """Repeat a mark from the top left over width x height, with transparent gaps."""

    def spread(frame: Image) -> Image:
        cell = frame.embed(0, 0, frame.width + gap_x, frame.height + gap_y, extend="black")
        across, down = -(-width // cell.width), -(-height // cell.height)
        return cell.replicate(across, down).crop(0, 0, width, height)

    return mark.each(spread)


def overlay(picture: Picture, mark: Picture, left: int, top: int) -> Picture:
    """Lay a mark over every frame with its top left at (left, top); what leaves the picture is cut off."""
    top_image = mark.frames[0].copy_memory() if picture.animated else mark.frames[0]

    def lay(frame: Image) -> Image:
        base = as_rgb(eight_bits(frame))
        laid = base.composite2(top_image, "over", x=left, y=top, compositing_space="srgb").cast("uchar")
        return laid if base.hasalpha() else laid[:3].copy(interpretation="srgb")

    return picture.each(lay)


def rounded(picture: Picture, radius: int) -> Picture:
    """Make the corners transparent outside circles of `radius`, with smooth edges."""

    def shape(frame: Image) -> Image:
        frame = with_alpha(as_rgb(eight_bits(frame)))
        half_width, half_height = frame.width / 2, frame.height / 2
        place = pyvips.Image.xyz(frame.width, frame.height)
        x = ((place[0] + 0.5 - half_width).abs() - (half_width - radius)).cast("float")
        y = ((place[1] + 0.5 - half_height).abs() - (half_height - radius)).cast("float")
        x, y = (x > 0).ifthenelse(x, 0), (y > 0).ifthenelse(y, 0)
        inside = (radius + 0.5 - (x * x + y * y) ** 0.5) * 255
        mask = inside.cast("uchar")
        alpha = (frame[3] * mask / 255).rint().cast("uchar")
        return frame[:3].bandjoin(alpha).copy(interpretation="srgb")

    return picture.each(shape)
