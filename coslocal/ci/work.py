"""What the operations of a rule work on: one picture on its way, and how it is to be written at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coslocal.ci.pixels import Picture
from coslocal.ci.source import Source
from coslocal.ci.types import Surroundings
from derivo.ci.tree import AigcMetadata, LowestQuality, MogrOp, Node, Quality, RelativeQuality, SizeLimit

Op = TypeVar("Op", bound=Node)


@dataclass
class Output:
    """How the result is written; a later stage of a pipeline overrides an earlier one."""

    format: str
    quality: Quality | None = None
    relative_quality: RelativeQuality | None = None
    lowest_quality: LowestQuality | None = None
    progressive: bool = False
    strip: bool = False
    slim: bool = False
    fewer_colours: bool = False
    size_limit: SizeLimit | None = None
    aigc: AigcMetadata | None = None


@dataclass
class Work:
    """The one mutable value of a rendering. `warnings` go to the log."""

    source: Source
    picture: Picture
    output: Output
    surroundings: Surroundings
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opened = self.picture

    @property
    def untouched(self) -> bool:
        """Whether no operation has changed the picture yet."""
        return self.picture is self._opened

    def dialect(self, name: str) -> str:
        return self.surroundings.dialects[name]

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


@dataclass(frozen=True)
class Segment:
    """One imageMogr2 segment; operations that only modify another (gravity, dx, dy, pad, color) are looked up here."""

    ops: tuple[MogrOp, ...]

    def find(self, kind: type[Op]) -> Op | None:
        return next((op for op in self.ops if isinstance(op, kind)), None)


# An operation changes the work; it raises ImageError when it cannot be done.
Apply = Callable[[Work, Segment, Any], None]
