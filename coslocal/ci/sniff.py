"""Which image format a file is, by its first bytes and never by its name."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"BM", "bmp"),
    (b"8BPS", "psd"),
    (b"\x13\xab\xa1\x5c", "astc"),
)
_HEIF_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heif", b"heix": "heif", b"hevc": "heif", b"mif1": "heif"}

CONTENT_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "avif": "image/avif",
    "heif": "image/heif",
}


def sniff(data: bytes) -> str:
    """jpeg, png, webp, gif, tiff, bmp, avif, heif, svg, psd, astc, or "" when it is no image that is known here."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _heif(data)
    text = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "svg"
    return ""


def _heif(data: bytes) -> str:
    """A HEIF container is avif when any of its brands says so."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = [box[at : at + 4] for at in range(0, len(box), 4) if at != 4]  # the second word is a version
    names = [_HEIF_BRANDS[brand] for brand in brands if brand in _HEIF_BRANDS]
    return "avif" if "avif" in names else (names[0] if names else "")
