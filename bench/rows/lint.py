"""`derivo lint` over 500 rule sets of 10 derivatives: reading, the proofs and the examples."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.setting import Setting
from bench.table import Goal, Row, Spread
from bench.timing import timed
from derivo.loading import load
from derivo.rulesets import ERROR
from derivo_cli.linting import lint

RULE_SETS, DERIVATIVES = 500, 10
_SHOPS = ("tea", "lamps", "books", "toys", "prints", "shoes", "maps", "garden", "音乐", "厨房")
# Two rule sets take what a hundred others wrote, and end there.
_CHAINED = {40: "prints", 45: "厨房"}
_SIZES = ((64, 64), (128, 128), (200, 200), (320, 240), (480, 480), (640, 360), (800, 600), (1200, 630))


def rows(setting: Setting) -> Iterator[Row]:
    count = RULE_SETS // 5 if setting.quick else RULE_SETS
    folder = setting.folder / "rules"
    folder.mkdir()
    for number in range(count):
        (folder / f"set{number:03}.yml").write_text(rule_set(number), encoding="utf-8")
    seconds = [timed(partial(_lint, folder)) for _ in range(setting.runs(3, 1))]
    yield Row(
        name=f"lint of {count} rule sets of {DERIVATIVES} derivatives",
        method="one process, files freshly written: load, loop and collision proofs, examples; the rule sets share"
        " buckets, exclude one another's outputs by prefix, glob or suffix, some feed others (chained), some `final`",
        goal=Goal(10 * count / RULE_SETS, unit="s"),
        runs=len(seconds),
        ours=Spread.of(seconds, "s"),
    )


def _lint(folder: Path) -> None:
    errors = [fault for fault in lint(load(str(folder))) if fault.level == ERROR]
    if errors:
        raise RuntimeError(f"the rule sets of the bench have {len(errors)} errors, first {errors[0]}")


def rule_set(number: int) -> str:
    """One of a large company's rule sets: a shop's own folder, outputs beside it, in it, or in another bucket."""
    shop = f"{_SHOPS[number % len(_SHOPS)]}{number:03}"
    kind = number % 5
    prefix = f"shops/{shop}/" if kind < 4 else f"incoming/{shop}-"
    if number in _CHAINED:
        prefix = f"masters/incoming/{_CHAINED[number]}"
        head, out = ["suffixes: [.webp]", "chained: true"], "/previews/{path}"
    else:
        head, out = _KINDS[kind](prefix)
    derivatives = [_derivative(at, out, number) for at in range(DERIVATIVES)]
    return "\n".join([f"prefix: {prefix}", *head, "derivatives:", *derivatives, ""])


def _beside(prefix: str) -> tuple[list[str], str]:
    return ["suffixes: [.jpg, .jpeg, .png]", 'exclude: ["**/raw/**"]'], "/derived/{path}"


def _inside(prefix: str) -> tuple[list[str], str]:
    """Outputs in the source's own folder, kept out by a glob."""
    return [f'exclude: ["{prefix}**/_made/**", "{prefix}_made/**", "**/draft-*"]'], f"/{prefix}_made/{{path}}"


def _by_suffix(prefix: str) -> tuple[list[str], str]:
    """Outputs in the source's own folder that no source can be, since all are WebP."""
    return ["suffixes: [.jpg, .png]"], "/{dir}/{name}"


def _elsewhere(prefix: str) -> tuple[list[str], str]:
    """Outputs under the sources' own keys in other buckets."""
    include = f'include: ["{prefix}**/photos/**", "{prefix}photos/*"]'
    return ["bucket: uploads-1250000000", include, "min_size: 1024", "final: true"], "/{path}"


def _masters(prefix: str) -> tuple[list[str], str]:
    """Outputs that are sources of nobody, under one prefix for all shops."""
    return ["suffixes: [.tif, .tiff, .bmp]", 'exclude: ["**/[._]*"]'], "/masters/{dir}/{stem}.{ext}"


_KINDS = (_beside, _inside, _by_suffix, _elsewhere, _masters)


def _derivative(at: int, out: str, number: int) -> str:
    width, height = _SIZES[(at + number) % len(_SIZES)]
    bucket = f", bucket: thumbs{number % 3}-1250000000" if out == "/{path}" else ""
    name = f"d{at}"
    if at % 3 == 2:
        rule = (
            f"steps: [{{auto_orient: true}}, {{resize: {{width: {width}, height: {height}, fit: cover}}}},"
            " {format: webp, quality: 80, strip: true}]"
        )
    else:
        rule = f"rule: imageMogr2/auto-orient/thumbnail/{width}x{height}>/strip/format/webp/quality/{70 + at}"
    return f'  - {{name: {name}, to: "{out}.{name}.webp"{bucket}, {rule}}}'
