"""Image formats: what CI reads and writes, what holds alpha or EXIF, what must be activated (CI 4.6).

Names are CI's own, lower case; extensions carry their dot and are lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

EXTENSIONS: Mapping[str, str] = {
    ".jpg": "jpg",
    ".jpeg": "jpg",
    ".jpe": "jpg",
    ".jfif": "jpg",
    ".png": "png",
    ".apng": "apng",
    ".bmp": "bmp",
    ".gif": "gif",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".avif": "avif",
    ".heif": "heif",
    ".heic": "heif",
    ".tpg": "tpg",
    ".psd": "psd",
    ".astc": "astc",
    ".svg": "svg",
}
"""Extension -> format. Spellings of one format are one: `.jpeg` is jpg, `.heic` is heif."""

SOURCE_SUFFIXES: tuple[str, ...] = (
    ".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".heif", ".heic",
)  # fmt: skip
"""What a rule set takes as a source when it names no suffixes: CI's basic formats, and tiff, avif and heif, which it
decodes too (CI 4.6, 7)."""

MOGR_FORMATS: tuple[str, ...] = (
    "jpg", "jpeg", "yjpeg", "png", "apng", "bmp", "webp", "tiff", "gif", "avif", "heif", "heic", "tpg", "psd", "astc",
    "svgc",
)  # fmt: skip
"""What may stand after `format/` in imageMogr2 (CI 4.6, 2026-01)."""

VIEW_FORMATS: tuple[str, ...] = ("jpg", "jpeg", "png", "bmp", "gif", "webp")
"""What may stand after `format/` in imageView2 (CI 3)."""

DOWNLOAD_ONLY: frozenset[str] = frozenset({"astc"})
PERSISTENT_ONLY: frozenset[str] = frozenset({"psd"})
ACTIVATED: frozenset[str] = frozenset({"avif", "heif", "tpg"})
"""Outputs for which the bucket must have advanced compression enabled; billed per use (CI 4.6, 8)."""

ALPHA: frozenset[str] = frozenset({"png", "apng", "gif", "webp", "tiff", "avif", "tpg", "psd", "svg", "astc"})
"""Formats whose files commonly have transparency."""
ANIMATED: frozenset[str] = frozenset({"gif", "webp", "apng", "avif", "tpg"})
ORIENTED: frozenset[str] = frozenset({"jpg", "tiff", "heif", "avif", "webp"})
"""Formats whose files commonly carry an EXIF orientation."""

QUALITY: frozenset[str] = frozenset({"jpg", "webp", "tpg", "heif", "avif"})
"""Outputs on which the qualities act (CI 4.8)."""

AIGC: frozenset[str] = frozenset({"jpg", "png", "avif"})
"""Outputs that can hold AIGCMetadata (CI 6)."""

_SAME: Mapping[str, str] = {"jpeg": "jpg", "yjpeg": "jpg", "heic": "heif", "svgc": "svg"}


def family(name: str) -> str:
    """The format behind a name of the language: jpeg and yjpeg are jpg, heic is heif, svgc is svg."""
    return _SAME.get(name, name)


def of_extension(extension: Optional[str]) -> Optional[str]:
    """The format that an extension (with or without its dot, any letter case) promises; None when it promises none."""
    if not extension:
        return None
    return EXTENSIONS.get("." + extension.lower().lstrip("."))
