"""The ways processing is refused: COS's code with CI's own number (CI 9.1, 9.2; how the two map is undocumented there).

| what | Code | number |
|---|---|---|
| a rule CI would not take, an operation that coslocal does not offer | InvalidPicOperations | -60998 |
| a style that the bucket does not have | InvalidPicOperations | -60967 |
| more than five rules | InvalidPicOperations | -60997 |
| no image, or a format that cannot be read or written here | InvalidImageFormat | -62999 |
| an image with damaged or missing bytes | InvalidImageSource | -62999 |
| a destination bucket in another region (dialect cross-region) | InvalidPicOperations | -60972 |
| an empty object | InvalidImageSource | -60950 |
| a watermark image that cannot be had | InvalidImageSource | -60987 |
| too many bytes | ImageTooLarge | -60996 |
| too many pixels or frames, a side too long | ImageResolutionExceed | -60996 |
| an image that breaks the decoder, or needs more memory than there is | InvalidImageSource | -62999 |
| an image that takes too long (status 503: trying again may help) | ServiceUnavailable | -901 |
"""

from __future__ import annotations

import re

from coslocal.ci.types import ImageError
from coslocal.dialects import Dialects

_MEMORY = re.compile(r"memory|alloc|bufferpool", re.IGNORECASE)
_IGNORE = re.compile(r"/ignore-error/1(?=[/|]|$)")


def invalid_rule(message: str) -> ImageError:
    return ImageError("InvalidPicOperations", message, number=-60998)


def unknown_style(name: str) -> ImageError:
    return ImageError("InvalidPicOperations", f"The bucket has no style {name!r}", number=-60967)


def too_many_rules(count: int, limit: int) -> ImageError:
    return ImageError("InvalidPicOperations", f"A request holds at most {limit} rules, not {count}", number=-60997)


def bad_region(message: str) -> ImageError:
    return ImageError("InvalidPicOperations", message, number=-60972)


def bad_format(message: str) -> ImageError:
    return ImageError("InvalidImageFormat", message, number=-62999)


def bad_source(message: str, number: int = -62999) -> ImageError:
    return ImageError("InvalidImageSource", message, number=number)


def empty_source() -> ImageError:
    return bad_source("The object is empty", -60950)


def no_mark(message: str) -> ImageError:
    return bad_source(message, -60987)


def too_large(size: int, limit: int, what: str = "source") -> ImageError:
    return ImageError("ImageTooLarge", f"The {what} has {size} bytes; the limit is {limit}", number=-60996)


def over_resolution(message: str) -> ImageError:
    return ImageError("ImageResolutionExceed", message, number=-60996)


def broke_decoder() -> ImageError:
    return bad_source("The image broke the process that decoded it, or needs more memory than that has")


def no_memory() -> ImageError:
    return bad_source("The image needs more memory than the process that renders it has")


def is_of_memory(message: str) -> bool:
    """Whether a library says that it had no memory. AV1's encoder names only the pool that it could not fill."""
    return _MEMORY.search(message) is not None


def too_slow(seconds: float) -> ImageError:
    message = f"Processing the image took longer than {seconds:g} seconds"
    return ImageError("ServiceUnavailable", message, number=-901, status=503)


def broken(message: str) -> ImageError:
    return ImageError("InternalError", f"The image could not be processed: {message}", status=500)


def ignores(rule_text: str, error: ImageError, dialects: Dialects) -> bool:
    """Whether a rule asks for the source where it fails in this way, `ignore-error/1`."""
    covered = dialects["ignore-error"] == "any" or error.code in ("ImageTooLarge", "ImageResolutionExceed")
    return covered and _IGNORE.search(rule_text) is not None


def shown(where: str) -> str:
    """A watermark's URL for a message: without its query, which may be a signature."""
    return where.partition("?")[0]
