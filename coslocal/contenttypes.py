"""What an object is taken for that was sent without a Content-Type."""

from __future__ import annotations

import mimetypes

# The table is our own: the answer must not depend on the machine's /etc/mime.types.
_TYPES = mimetypes.MimeTypes(filenames=())
for _extension, _type in ((".webp", "image/webp"), (".avif", "image/avif"), (".heic", "image/heic")):
    _TYPES.add_type(_type, _extension)


def content_type_of(key: str) -> str:
    """What COS takes an object for that was sent without a Content-Type (COS 5)."""
    _, dot, extension = key.rpartition("/")[2].rpartition(".")
    return _TYPES.types_map[True].get(dot + extension.lower(), "application/octet-stream")
