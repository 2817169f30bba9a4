"""A package: the function, its rule sets and what they need, in one zip; the same input gives the same bytes."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from derivo import compiled
from derivo.loading import load_text
from derivo.rulesets import ERROR, Loaded, RuleSet, render
from derivo_cli import linting, rules, serverless
from derivo_cli.exits import FINDINGS, USAGE, Stop
from derivo_cli.packaging import archive, bytecode, distributions, requirements, sbom
from derivo_cli.packaging.fetching import PLATFORM, fetch

CLOUD = ("3.9", "3.10")
"""The Pythons that the platform runs (SCF 2.5). requirements.txt pins files for newer ones too, to try it here."""
_PYTHON = re.compile(r"3\.(9|1\d)")

_RULES = "rules/"
_LICENCES = "licences/"
_NOT_DEPLOYED = ("ruff.toml",)

Files = Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Package:
    """What was built. `parts`: name -> (files, bytes). `byte_code`: the version that compiled it, or None."""

    path: Path
    sha256: str
    size: int
    python: str
    byte_code: str | None
    rule_sets: int
    parts: Mapping[str, tuple[int, int]]
    packages: tuple[distributions.Distribution, ...] = field(repr=False)


def build(root: Path, rules_folder: Path, path: Path, *, python: str) -> Package:
    """Build the zip at `path` from the checkout at `root`, or raise Stop and leave what was there untouched."""
    _check(root, path, python)
    rule_files, rule_sets = _rules(rules_folder, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".derivo-package-", dir=path.parent) as name:
        work = Path(name)
        packages = packages_of(root / "requirements.txt", work / "fetched", python)
        parts: dict[str, Files] = {
            "derivo": _function(root / "functions"),
            "rules": rule_files,
            **{f"{package.name} {package.version}": package.files for package in packages},
            "licences": _licences(root, packages),
        }
        by = bytecode.interpreter(python)
        parts["byte code"] = _byte_code(_together(parts), work / "code", by) if by else {}
        facts = {
            "python": python,
            "platform": PLATFORM,
            "byte-code": f"CPython {by.version}" if by else "none",
            "rules-sha256": _digest({name: data for name, data in rule_files.items() if name != compiled.FILE}),
        }
        parts["bill of materials"] = {sbom.FILE: sbom.encode(packages, facts)}
        archive.write(work / "function.zip", _together(parts))
        (work / "function.zip").replace(path)
    data = path.read_bytes()
    return Package(
        path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data), python=python,
        byte_code=by.version if by else None, rule_sets=rule_sets, packages=tuple(packages),
        parts={name: (len(files), sum(map(len, files.values()))) for name, files in parts.items()},
    )  # fmt: skip


def _check(root: Path, path: Path, python: str) -> None:
    for needed in (root / "functions", root / "requirements.txt"):
        if not needed.exists():
            raise Stop(f"{needed} is not there; run this in Derivo's own folder, or give --root")
    if not _PYTHON.fullmatch(python):
        raise Stop(f"--python {python}: the platform runs {' and '.join(CLOUD)}", USAGE)
    if path.suffix != ".zip" or path.is_dir():
        raise Stop(f"-o {path}: name the zip file to write, such as dist/function.zip", USAGE)


def _rules(folder: Path, root: Path) -> tuple[Files, int]:
    """The rule sets as they were written, and compiled. One with an error, or unproved, is refused (law 2)."""
    loaded = rules.loaded(folder)
    errors = [fault for fault in linting.lint(loaded, _deployment(root)) if fault.level == ERROR]
    if errors:
        raise Stop("\n".join(render(fault) for fault in errors), FINDINGS)
    if not loaded.rule_sets:
        raise Stop(f"there are no rule sets in {folder}", USAGE)
    written = _written(folder, loaded)
    # read again from what is packed, so that both are the same, and places in it are the package's own
    again = [load_text(data, name)[0] for name, data in written.items()]
    made = tuple(rule_set for rule_set in again if isinstance(rule_set, RuleSet))
    if len(made) != len(loaded.rule_sets):
        raise Stop(f"{folder} was changed while it was read; run this again", FINDINGS)
    return {**written, compiled.FILE: compiled.encode(made, _digest(written))}, len(made)


def _written(folder: Path, loaded: Loaded) -> Files:
    files = [Path(rule_set.where.file) for rule_set in loaded.rule_sets]
    base = folder if folder.is_dir() else folder.parent
    return {_RULES + file.relative_to(base).as_posix(): file.read_bytes() for file in files}


def _deployment(root: Path) -> serverless.Deployment | None:
    try:
        return serverless.read(root / "serverless.yml")
    except (OSError, ValueError):
        return None  # whoever deploys by other means has none


def packages_of(file: Path, folder: Path, python: str) -> list[distributions.Distribution]:
    """What requirements.txt pins, fetched into `folder` and read."""
    pins = {pin.name for pin in requirements.read(file)}
    folder.mkdir(parents=True)
    found = [distributions.read(path) for path in fetch(file, folder, python)]
    if {package.name for package in found} != pins:
        raise Stop(f"{file} names {', '.join(sorted(pins))}, and something else came", FINDINGS)
    return sorted(found, key=lambda package: package.name)


def _function(folder: Path) -> Files:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in paths if path.name not in _NOT_DEPLOYED}
    hidden = {name for name in names if any(part.startswith(".") for part in name.split("/"))}
    return {name: path.read_bytes() for name, path in names.items() if name not in hidden and distributions.runs(name)}


def _licences(root: Path, packages: list[distributions.Distribution]) -> Files:
    files = {_LICENCES + "derivo/LICENSE": (root / "LICENSE").read_bytes()}
    for package in packages:
        if not package.licences:
            raise Stop(f"{package.name} {package.version} comes without the text of its licence", FINDINGS)
        files.update({f"{_LICENCES}{package.name}/{name}": data for name, data in package.licences.items()})
    return files


def _byte_code(files: Files, folder: Path, by: bytecode.Interpreter) -> Files:
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    bytecode.compile_all(folder, sorted(name for name in files if name.endswith(".py")), by)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")}


def _together(parts: Mapping[str, Files]) -> Files:
    """All files of a package. Raises Stop where two parts want the same path."""
    files: dict[str, bytes] = {}
    for name, part in parts.items():
        twice = files.keys() & part.keys()
        if twice:
            raise Stop(f"{name} holds {min(twice)}, which another part holds as well", FINDINGS)
        files.update(part)
    return files


def _digest(files: Files) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode())
        whole.update(files[name])
    return whole.hexdigest()
