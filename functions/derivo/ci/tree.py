"""The typed tree of a processing rule: what the linter reasons about, what coslocal executes, what is printed for CI.

Every node is a frozen, tagged msgspec Struct, so that a tree can be compared, hashed, and stored in the function's
package without YAML. The order of operations inside an imageMogr2 segment is kept as written, because the vendor does
not say whether it matters (reference: CI 4, "execution order inside one segment is not documented").

Lengths are pixels, angles are degrees clockwise, percentages are whole numbers unless a field says otherwise.
"""

from __future__ import annotations

from typing import Optional, Union

import msgspec


class Node(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """A node of the tree."""


# --- imageMogr2: one class an operation, in the order of the reference, section 4 ---------------------------------


class Thumbnail(Node, frozen=True):
    """`thumbnail/<geometry>`. `form` tells the geometry:

    percent `!Np` · percent-width `!Npx` · percent-height `!xNp` (all: amount) · width `Wx` · height `xH` ·
    fit `WxH` · shrink `WxH>` · enlarge `WxH<` · cover `!WxHr` · force `WxH!` · area `N@` (amount, square pixels).
    """

    form: str
    width: int = 0
    height: int = 0
    amount: int = 0


class Pad(Node, frozen=True):
    """`pad/0|1`: centre a `WxH` thumbnail on a canvas of exactly that size."""

    on: bool


class Color(Node, frozen=True):
    """`color/<b64>`: the canvas colour for pad. `rgb` is `#RRGGBB`, upper case."""

    rgb: str


class Cut(Node, frozen=True):
    """`cut/WxH[xDXxDY]`: a window at the gravity anchor, no scaling."""

    width: int
    height: int
    dx: Optional[int] = None
    dy: Optional[int] = None


class Crop(Node, frozen=True):
    """`crop/WxH`, `crop/Wx`, `crop/xH`: scale to cover, then crop at the gravity."""

    width: Optional[int] = None
    height: Optional[int] = None


class Gravity(Node, frozen=True):
    """`gravity/<g>`, lower case: northwest north northeast west center east southwest south southeast."""

    value: str


class Dx(Node, frozen=True):
    value: int


class Dy(Node, frozen=True):
    value: int


class InnerRadius(Node, frozen=True):
    """`iradius/<r>`: the inscribed circle."""

    radius: int


class RoundRadius(Node, frozen=True):
    """`rradius/<r>`: rounded corners."""

    radius: int


class SmartCrop(Node, frozen=True):
    """`scrop/WxH`: scale and crop around a face."""

    width: int
    height: int


class RatioCrop(Node, frozen=True):
    """`rcrop/WxH`: crop to the ratio W:H."""

    width: int
    height: int


class Rotate(Node, frozen=True):
    """`rotate/<degrees>`, 0..360 clockwise."""

    degrees: int


class AutoOrient(Node, frozen=True):
    """`auto-orient`: turn as EXIF Orientation says."""


class Flip(Node, frozen=True):
    """`flip/vertical|horizontal`."""

    axis: str


class Format(Node, frozen=True):
    """`format/<name>`, lower case; `jpeg` and `jpg` are kept as written."""

    name: str


class CGif(Node, frozen=True):
    """`cgif/<n>`: keep the first n frames."""

    frames: int


class EGif(Node, frozen=True):
    """`egif/<k>`: keep every k-th frame."""

    every: int


class Frame(Node, frozen=True):
    """`frame/<n>`: one frame, download only."""

    number: int


class Interlace(Node, frozen=True):
    on: bool


class Quality(Node, frozen=True):
    """`quality/<q>[!]`: absolute, 0..100; `forced` (`!`) ignores the source's own quality."""

    value: int
    forced: bool = False


class RelativeQuality(Node, frozen=True):
    """`rquality/<r>`: per cent of the source's quality."""

    value: int


class LowestQuality(Node, frozen=True):
    """`lquality/<l>`: floor."""

    value: int


class Blur(Node, frozen=True):
    """`blur/<radius>x<sigma>`: radius 1..50, sigma above 0."""

    radius: float
    sigma: float


class Bright(Node, frozen=True):
    value: int


class Contrast(Node, frozen=True):
    value: int


class Sharpen(Node, frozen=True):
    """`sharpen/<v>`: 10..300."""

    value: int


class Grayscale(Node, frozen=True):
    on: bool


class Strip(Node, frozen=True):
    """`strip`: remove metadata."""


class SizeLimit(Node, frozen=True):
    """`size-limit/<n>k|m[!]`: target size; `smaller` (`!`) returns the source when it is smaller."""

    amount: int
    unit: str
    smaller: bool = False


class IgnoreError(Node, frozen=True):
    """`ignore-error/1`: on failure the unprocessed source is stored under the derivative's key."""


class AigcMetadata(Node, frozen=True):
    """`AIGCMetadata/Label/<b64>/...`: texts decoded; None where absent."""

    label: str
    content_producer: Optional[str] = None
    produce_id: Optional[str] = None
    reserved_code1: Optional[str] = None
    content_propagator: Optional[str] = None
    propagate_id: Optional[str] = None
    reserved_code2: Optional[str] = None


MogrOp = Union[
    Thumbnail, Pad, Color, Cut, Crop, Gravity, Dx, Dy, InnerRadius, RoundRadius, SmartCrop, RatioCrop, Rotate,
    AutoOrient, Flip, Format, CGif, EGif, Frame, Interlace, Quality, RelativeQuality, LowestQuality, Blur, Bright,
    Contrast, Sharpen, Grayscale, Strip, SizeLimit, IgnoreError, AigcMetadata,
]  # fmt: skip


# --- stages ---------------------------------------------------------------------------------------------------------


class ImageMogr2(Node, frozen=True):
    """One `imageMogr2/...` segment; each operation at most once, in the order written."""

    ops: tuple[MogrOp, ...]


class ImageView2(Node, frozen=True):
    """`imageView2/<mode>/w/../h/../format/../q/..`. `mode` None: the mode-less form."""

    mode: Optional[int] = None
    width: Optional[int] = None
    height: Optional[int] = None
    format: Optional[str] = None
    quality: Optional[Quality] = None
    relative_quality: Optional[int] = None
    lowest_quality: Optional[int] = None
    ignore_error: bool = False


class ImageWatermark(Node, frozen=True):
    """`watermark/1`: `image` is the mark's URL (http://...), or `image_key` an object key. None: CI's default."""

    image: Optional[str] = None
    image_key: Optional[str] = None
    gravity: Optional[str] = None
    dx: Optional[int] = None
    dy: Optional[int] = None
    blogo: Optional[int] = None
    scatype: Optional[int] = None
    spcent: Optional[int] = None
    dissolve: Optional[int] = None
    batch: Optional[bool] = None
    degree: Optional[int] = None
    spacing: Optional[int] = None


class TextWatermark(Node, frozen=True):
    """`watermark/2`: `fontsize` in points, `fill` `#RRGGBB`. None: CI's default."""

    text: str
    font: Optional[str] = None
    fontsize: Optional[int] = None
    fill: Optional[str] = None
    dissolve: Optional[int] = None
    gravity: Optional[str] = None
    dx: Optional[int] = None
    dy: Optional[int] = None
    batch: Optional[bool] = None
    degree: Optional[int] = None
    spacing: Optional[int] = None
    shadow: Optional[int] = None
    scatype: Optional[int] = None
    spcent: Optional[int] = None


class BlindWatermark(Node, frozen=True):
    """`watermark/3`: kind 1 half-blind image, 2 full image, 3 text."""

    kind: int
    image: Optional[str] = None
    text: Optional[str] = None
    level: Optional[int] = None
    version: Optional[str] = None


class BlindExtract(Node, frozen=True):
    """`watermark/4`: read a blind watermark back."""

    kind: int
    image: Optional[str] = None
    version: Optional[str] = None


class Style(Node, frozen=True):
    """`style/<name>`: a style saved on the bucket."""

    name: str


class ImageSlim(Node, frozen=True):
    """`imageSlim`: compress, keep the format."""


class QrCode(Node, frozen=True):
    """`QRcode/cover/<0|1>`: read QR codes; 1 covers them."""

    cover: bool


class CiProcess(Node, frozen=True):
    """`ci-process=<name>&k=v...`: the AI family; only the names that may stand in Pic-Operations."""

    name: str
    params: tuple[tuple[str, str], ...] = ()


Stage = Union[
    ImageMogr2, ImageView2, ImageWatermark, TextWatermark, BlindWatermark, BlindExtract, Style, ImageSlim, QrCode,
    CiProcess,
]  # fmt: skip


class Rule(Node, frozen=True, cache_hash=True):
    """A processing rule: one to ten stages, executed left to right."""

    stages: tuple[Stage, ...]
