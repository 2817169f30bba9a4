"""The page docs/coverage.md: what is offered, from the routing table and the image side's own tables.

python -m coslocal.coverage > docs/coverage.md
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from coslocal.ci import download, execute, segment
from coslocal.ci.operations import format
from coslocal.ci.types import ImageError
from coslocal.routes import COPY, COPY_PART, IMAGE, ROUTES, Route
from derivo.ci import formats, tree

_HEAD = """\
# What coslocal offers

Generated from the code by `python -m coslocal.coverage > docs/coverage.md`; a test compares the two.

**full**: as documented. **stored only**: what was put is given back, and nothing else follows from it. **not offered**:
answered with 501 `NotImplemented` and the operation's name. A method that a resource does not know is answered with
405 `MethodNotAllowed`, an unknown sub-resource with 501.
"""
_LEVELS = {"service": "The service", "bucket": "Buckets", "object": "Objects", "ci": "The ci host"}
_MARKS = {COPY: "", COPY_PART: "?uploadId", IMAGE: "?<rule>"}
_REMARKS: Mapping[str, str] = {
    "post_object": "by the policy of the form; whether `Pic-Operations` is obeyed here is not documented: it is not",
    "append_object": "the ETag is that of the last append",
    "complete_multipart_upload": "with `Pic-Operations` too",
    "copy_object": "with `x-cos-copy-source`, within this coslocal",
    "copy_part": "with `x-cos-copy-source`, within this coslocal",
    "get_bucket_acl": "what everyone may do is obeyed; users are all the same",
    "get_bucket_policy": "policies are not evaluated",
    "get_bucket_versioning": "an older version keeps its headers, and not its ACL and tags",
    "get_image": "imageMogr2, imageView2, watermark, style, imageSlim, the questions below; styles by separator too",
    "get_object_acl": "what everyone may do is obeyed; users are all the same",
    "image_process": "`Pic-Operations` on a stored object",
    "put_object": "with `Pic-Operations` too; a customer's key is compared, bytes are stored as they come",
    "restore_object": "at once, where the cloud takes hours",
}
_IMAGE_HEAD = """\
## Image operations

**supported**: as documented, and where the documents are silent by [dialect](../coslocal/README.md#dialects).
**approximated**: the result has the right size and format, and other pixels than the cloud's. **refused**: with the
documented error and a line in the log.
"""
_OPERATIONS: tuple[tuple[str, type[tree.Node]], ...] = (
    ("thumbnail", tree.Thumbnail), ("cut", tree.Cut), ("crop", tree.Crop), ("scrop", tree.SmartCrop),
    ("rcrop", tree.RatioCrop), ("iradius", tree.InnerRadius), ("rradius", tree.RoundRadius), ("rotate", tree.Rotate),
    ("auto-orient", tree.AutoOrient), ("flip", tree.Flip), ("format", tree.Format), ("cgif", tree.CGif),
    ("egif", tree.EGif), ("frame", tree.Frame), ("interlace", tree.Interlace), ("quality", tree.Quality),
    ("rquality", tree.RelativeQuality), ("lquality", tree.LowestQuality), ("size-limit", tree.SizeLimit),
    ("blur", tree.Blur), ("bright", tree.Bright), ("contrast", tree.Contrast), ("sharpen", tree.Sharpen),
    ("grayscale", tree.Grayscale), ("strip", tree.Strip), ("AIGCMetadata", tree.AigcMetadata),
)  # fmt: skip
_MODIFIERS: tuple[tuple[str, type[tree.Node]], ...] = (
    ("pad", tree.Pad), ("color", tree.Color), ("gravity", tree.Gravity), ("dx", tree.Dx), ("dy", tree.Dy),
    ("ignore-error", tree.IgnoreError),
)  # fmt: skip
_STAGES: tuple[tuple[str, type[tree.Node]], ...] = (
    ("imageMogr2", tree.ImageMogr2), ("imageView2", tree.ImageView2), ("watermark/1 (image)", tree.ImageWatermark),
    ("watermark/2 (text)", tree.TextWatermark), ("watermark/3 (blind)", tree.BlindWatermark),
    ("watermark/4 (reading a blind one)", tree.BlindExtract), ("style", tree.Style), ("imageSlim", tree.ImageSlim),
    ("QRcode", tree.QrCode), ("ci-process (the AI family)", tree.CiProcess),
)  # fmt: skip
_APPROXIMATED: Mapping[type[tree.Node], str] = {
    tree.SmartCrop: "libvips's attention measure instead of faces",
    tree.Bright: "linear; the cloud's curve is not documented",
    tree.Contrast: "linear around the middle grey; the cloud's curve is not documented",
    tree.Sharpen: "an unsharp mask; the cloud's is not documented",
    tree.ImageSlim: "re-encoded within the format; the cloud's encoder is not documented",
}


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for level, title in _LEVELS.items():
        rows = [row for row in ROUTES if row.level == level]
        if rows:
            parts.append(f"## {title}\n\n" + _table(("request", "operation", "offered", "remark"), _routes(rows)))
    parts.append(_IMAGE_HEAD)
    parts.append(_table(("rule", "offered", "remark"), _stages()))
    parts.append("Inside `imageMogr2`:\n\n" + _table(("operation", "offered", "remark"), _operations()))
    parts.append("As the target of `format/`:\n\n" + _table(("format", "offered"), _formats()))
    parts.append("Questions about an image: " + ", ".join(f"`?{name}`" for name in download.QUESTIONS) + ".\n")
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows)]
    return "\n".join(lines) + "\n"


def _routes(rows: list[Route]) -> Iterator[tuple[str, ...]]:
    """One line for what is offered of a sub-resource to the same degree, one for each method of the thing itself."""
    for _, group in itertools.groupby(rows, lambda row: (row.sub_resource or row.method, row.coverage)):
        same = list(group)
        name = same[0].sub_resource or ""
        path = {"object": "/key", "ci": ""}.get(same[0].level, "/")
        path += name if same[0].level == "ci" else _MARKS.get(name, f"?{name}" if name else "")
        remarks = (_REMARKS[row.operation] for row in same if row.operation in _REMARKS)
        operations = ", ".join(f"`{row.operation}`" for row in same)
        yield f"`{' '.join(row.method for row in same)} {path}`", operations, same[0].coverage, next(remarks, "")


def _judged(text: str, kind: type[tree.Node]) -> tuple[str, str, str]:
    if kind in execute.NOT_OFFERED:
        return f"`{text}`", "refused", ""
    remark = _APPROXIMATED.get(kind, "")
    return f"`{text}`", "approximated" if remark else "supported", remark


def _stages() -> Iterator[tuple[str, ...]]:
    yield from (_judged(text, kind) for text, kind in _STAGES)


def _operations() -> Iterator[tuple[str, ...]]:
    yield from (_judged(text, kind) for text, kind in _OPERATIONS)
    yield from ((f"`{text}`", "supported", "of another operation") for text, _ in _MODIFIERS)


def _formats() -> Iterator[tuple[str, ...]]:
    for name in formats.MOGR_FORMATS:
        try:
            format.resolve(name)
        except ImageError:
            yield f"`{name}`", "refused"
        else:
            yield f"`{name}`", "supported"


def unlisted() -> set[type[Any]]:
    """What the image side runs or refuses and the page does not name."""
    listed = {kind for _, kind in (*_OPERATIONS, *_MODIFIERS, *_STAGES)}
    return {*(kind for kind, _ in segment.STEPS), *execute.STAGES, *execute.NOT_OFFERED} - listed


if __name__ == "__main__":
    sys.stdout.write(page())
