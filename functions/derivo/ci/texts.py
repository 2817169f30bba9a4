"""Texts inside a rule: URL-safe base64 as CI writes it, words that are nearly right, and colours (CI 5)."""

from __future__ import annotations

import binascii
from collections.abc import Collection, Mapping
from typing import Optional

_STANDARD = str.maketrans("-_", "+/")
_URL_SAFE = str.maketrans("+/", "-_")
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/")
_HEX = frozenset("0123456789abcdefABCDEF")

# What people write who know other tools, and what CI calls it.
_OTHER_WORDS: Mapping[str, str] = {
    "resize": "thumbnail",
    "scale": "thumbnail",
    "autorotate": "auto-orient",
    "orient": "auto-orient",
    "brightness": "bright",
    "gray": "grayscale",
    "greyscale": "grayscale",
    "progressive": "interlace",
    "qual": "quality",
    "colour": "color",
    "background": "color",
    "fontcolor": "fill",
    "opacity": "dissolve",
    "width": "w",
    "height": "h",
    "centre": "center",
    "middle": "center",
    "top": "north",
    "bottom": "south",
    "left": "west",
    "right": "east",
    "topleft": "northwest",
    "topright": "northeast",
    "bottomleft": "southwest",
    "bottomright": "southeast",
    "tif": "tiff",
    "jpe": "jpg",
    "svg": "svgc",
}

_COLOURS: Mapping[str, str] = {"white": "#FFFFFF", "black": "#000000", "red": "#FF0000", "grey": "#808080"}


class NotBase64(ValueError):
    """The text is not base64."""


def encode(text: str) -> str:
    """URL-safe base64 of the text's UTF-8, without padding."""
    encoded = binascii.b2a_base64(text.encode(), newline=False).decode("ascii")
    return encoded.rstrip("=").translate(_URL_SAFE)


def decode(text: str) -> str:
    """The text behind base64, standard or URL-safe, padded or not. Raises NotBase64 or UnicodeDecodeError."""
    body = text.rstrip("=")
    if not body or len(text) - len(body) > 2 or len(body) % 4 == 1 or not _ALPHABET.issuperset(body):
        raise NotBase64(text)
    return binascii.a2b_base64(body.translate(_STANDARD) + "=" * (-len(body) % 4)).decode()


def colour(text: str) -> Optional[str]:
    """`#RRGGBB` in upper case, or None when the text is no such colour."""
    if len(text) == 7 and text[0] == "#" and _HEX.issuperset(text[1:]):
        return text.upper()
    return None


def nearest_colour(text: str) -> Optional[str]:
    """The `#RRGGBB` that was probably meant."""
    digits = text.lstrip("#")
    if len(digits) == 3 and _HEX.issuperset(digits):
        digits = "".join(digit * 2 for digit in digits)
    return colour("#" + digits) or _COLOURS.get(text.lower())


def nearest(word: str, known: Collection[str]) -> Optional[str]:
    """The known word that was probably meant, or None."""
    if not 0 < len(word) <= 40:
        return None
    plain = _plain(unquoted(word))
    same = {_plain(each): each for each in known}
    other = _OTHER_WORDS.get(plain)
    if plain in same:
        return same[plain]
    if other in known:
        return other
    # difflib is imported here because only an error pays for it, never a cold start
    from difflib import get_close_matches

    close = get_close_matches(plain, list(same), n=1, cutoff=0.6)
    return same[close[0]] if close else None


def unquoted(text: str) -> str:
    """The text with percent-encoding undone: rules are raw text, but are often copied from URLs."""
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def quoted(text: str) -> str:
    """The text in quotes, for a message: short, and on one line."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _plain(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())
