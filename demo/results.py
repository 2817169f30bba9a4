"""What the demo found out about each source, for the table and the contact sheets."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.checks import Seen
from demo.pictures import Picture


@dataclass(frozen=True, kw_only=True)
class Derived:
    """One planned derivative. `seen` is None when it is not in the bucket."""

    name: str
    key: str
    rule: str
    data: bytes = field(default=b"", repr=False)
    seen: Seen | None = None
    problem: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        found = self.seen.problems if self.seen else ()
        return (self.problem, *found) if self.problem else found


@dataclass(frozen=True, kw_only=True)
class Result:
    """A source and its derivatives. `calls` and `milliseconds` are those of the processing, None when not told."""

    picture: Picture
    rule_set: str
    derivatives: tuple[Derived, ...]
    calls: int | None = None
    milliseconds: int | None = None
    skipped: int = 0

    @property
    def failed(self) -> int:
        return sum(bool(derived.problems) for derived in self.derivatives)

    @property
    def written(self) -> int:
        return len(self.derivatives) - self.failed

    @property
    def bytes(self) -> int:
        return sum(len(derived.data) for derived in self.derivatives)


def amount(count: int) -> str:
    """Bytes for people: `812 B`, `4.1 kB`, `3.2 MB`."""
    if count < 1000:
        return f"{count} B"
    value, unit = (count / 1e3, "kB") if count < 999_500 else (count / 1e6, "MB")
    return f"{value:.1f} {unit}" if value < 99.5 else f"{value:.0f} {unit}"


def against(source: int, derivative: int) -> str:
    """How a derivative's bytes compare with its source's: `1/34`, or `1.2x` when it is the larger."""
    if not derivative:
        return ""
    return f"1/{source / derivative:.0f}" if derivative * 1.5 < source else f"{derivative / source:.1f}x"
