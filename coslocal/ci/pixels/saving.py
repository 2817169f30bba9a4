"""Writing files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyvips

from coslocal.ci.pixels.picture import ANIMATED, Image, Picture, eight_bits, errors, flat, has

_FEWER_BITS = 7  # 128 colours


@dataclass(frozen=True)
class Saving:
    """`quality` 1..100 for lossy formats, `progressive` jpeg, `strip` all metadata, `slim` png with a palette, `fewer`
    colours in a gif, `xmp` a packet, `ground` the colour behind transparency in jpeg."""

    quality: int = 100
    progressive: bool = False
    strip: bool = False
    slim: bool = False
    fewer: bool = False
    xmp: bytes | None = None
    ground: tuple[int, int, int] = (255, 255, 255)


def encode(picture: Picture, format: str, saving: Saving) -> bytes:
    """Write as jpeg, png, webp, gif, tiff or avif. Stills take the first frame; jpeg shows the ground through alpha."""
    with errors():
        image = _joined(picture) if format in ANIMATED and picture.animated else picture.frames[0]
        if format == "jpeg":
            image = flat(image, saving.ground)
        if format not in ("png", "tiff"):
            image = eight_bits(image)
        if saving.xmp is not None:
            image = image.copy()
            image.set_type(pyvips.GValue.blob_type, "xmp-data", saving.xmp)
        return bytes(_save(image, format, saving, "|".join(_kept(image, saving)) or "none"))


def _save(image: Image, format: str, saving: Saving, keep: str) -> Any:
    quality = max(1, saving.quality)
    if format == "jpeg":
        return image.jpegsave_buffer(Q=quality, interlace=saving.progressive, keep=keep)
    if format == "webp":
        return image.webpsave_buffer(Q=quality, keep=keep)
    if format == "avif":
        # the default effort takes many times as long for files a few per cent smaller
        return image.heifsave_buffer(compression="av1", Q=quality, effort=0, keep=keep)
    if format == "tiff":
        return image.tiffsave_buffer(compression="lzw", keep=keep)
    if format == "gif":
        depth = {"bitdepth": _FEWER_BITS} if saving.fewer else {}
        return image.gifsave_buffer(keep=keep, **depth)
    return image.pngsave_buffer(palette=saving.slim, keep=keep)


def _kept(image: Image, saving: Saving) -> list[str]:
    """Metadata that goes into the file. EXIF only where the source had some: libvips would make one up."""
    if saving.strip:
        return ["xmp"] if saving.xmp is not None else []
    return ["icc", "xmp", "iptc"] + (["exif"] if has(image, "exif-data") else [])


def _joined(picture: Picture) -> Image:
    image = pyvips.Image.arrayjoin(list(picture.frames), across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", picture.height)
    image.set_type(pyvips.GValue.array_int_type, "delay", list(picture.delays))
    image.set_type(pyvips.GValue.gint_type, "loop", picture.loop)
    return image
