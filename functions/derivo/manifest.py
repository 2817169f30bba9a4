"""The manifest: one JSON object a source and rule set, for front ends (srcset) and as provenance. Pure.

It says which source, by ETag, and which derivatives Derivo made of it, by key and ETag: what it does not name, a run
cannot prove it made (law 7). The same derivatives give the same bytes, so that it is written only when it changed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Optional

import msgspec

from derivo import __version__, ownobjects
from derivo.events import Source
from derivo.outcomes import Work
from derivo.plan import Plan, Planned

FORMAT = 1


class ManifestSource(msgspec.Struct, frozen=True, kw_only=True):
    """The source as CI saw it: pixels before any EXIF turn, bytes, `color` its dominant colour as `#rrggbb`."""

    bucket: str
    key: str
    etag: str
    size: Optional[int] = None
    format: str = ""
    width: int = 0
    height: int = 0
    color: str = ""
    orientation: int = 0


class ManifestDerivative(msgspec.Struct, frozen=True, kw_only=True):
    """One derivative; `spec` is the digest of the rule that made it."""

    name: str
    bucket: str
    key: str
    etag: str
    format: str
    width: int
    height: int
    size: int
    spec: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, and of which source."""

    source: ManifestSource
    derivatives: tuple[ManifestDerivative, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest` is the version of this format, `derivo` that of the writer."""

    manifest: int
    derivo: str
    rule_set: str
    source: ManifestSource
    derivatives: tuple[ManifestDerivative, ...]


def build(plan: Plan, rule_set: str, work: Work) -> Manifest:
    """The manifest of what a run wrote of that rule set, and of what it found to stand."""
    known = made(plan.source, work, rule_set)
    return Manifest(
        manifest=FORMAT, derivo=__version__, rule_set=rule_set, source=known.source, derivatives=known.derivatives
    )


def made(source: Source, work: Work, rule_set: Optional[str] = None) -> Made:
    """What a run wrote, and what it found to stand: derivatives of one rule set, or of all. Manifests are not told of:
    they have no spec."""
    return Made(
        source=ManifestSource(
            bucket=source.bucket,
            key=source.key,
            etag=work.source_etag or "",
            size=work.source_size,
            format=work.source_format.lower(),
            width=work.source_width,
            height=work.source_height,
            color=work.source_color,
            orientation=work.source_orientation,
        ),
        derivatives=tuple(
            ManifestDerivative(
                name=outcome.derivative.name,
                bucket=outcome.derivative.bucket,
                key=outcome.derivative.key,
                etag=outcome.etag,
                format=outcome.format,
                width=outcome.width,
                height=outcome.height,
                size=outcome.size,
                spec=outcome.derivative.spec,
            )
            for outcome in work.outcomes
            if outcome.is_known and outcome.derivative.spec and rule_set in (None, outcome.derivative.rule_set)
        ),
    )


def encode(manifest: Manifest) -> bytes:
    """What is written to the bucket."""
    return ownobjects.encode(manifest)


def decode(data: bytes) -> Optional[Manifest]:
    """The manifest, or None when the bytes are none: they then prove nothing."""
    return ownobjects.decode(data, Manifest, "manifest", FORMAT)


def digest(data: bytes) -> str:
    """What is kept beside the manifest, in its metadata, to tell without reading it whether it would change."""
    return sha256(data).hexdigest()[:16]


def proves(manifest: Manifest, source: tuple[str, str], derivative: Planned, etag: str) -> bool:
    """Whether the manifest says that the object with this ETag was made from that source (bucket, key)."""
    return (manifest.source.bucket, manifest.source.key) == source and any(
        (made.bucket, made.key, made.etag) == (derivative.bucket, derivative.key, etag) for made in manifest.derivatives
    )
