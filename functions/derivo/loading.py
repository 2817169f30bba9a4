"""YAML -> RuleSets, from folders, files and text. Every fault is reported at once.

Whoever imports this imports YAML: what is compiled or passed in goes without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional, Union

from derivo.rulefile import read_content, read_file
from derivo.rulesets import ERROR, Fault, Loaded, RuleSet


def load(paths: Union[str, Path, Iterable[Union[str, Path]]]) -> Loaded:
    """The rule sets of a folder (every .yml and .yaml in it and its sub-folders, hidden ones left out, sorted by path),
    of a file, or of several of these.

    A place that cannot be read is a fault too; nothing is raised.
    """
    rule_sets: dict[str, RuleSet] = {}
    faults: list[Fault] = []
    for path in _files([paths] if isinstance(paths, (str, Path)) else paths):
        made, found = read_file(path)
        faults += found
        if made is not None and made.name in rule_sets:
            message = f"a second rule set `{made.name}`; the first is {rule_sets[made.name].where.file}"
            faults.append(Fault(code="RS114", level=ERROR, message=message, where=made.where, mend="rename the file"))
        elif made is not None:
            rule_sets[made.name] = made
    return Loaded(tuple(rule_sets.values()), tuple(faults))


def load_text(content: Union[str, bytes], file: str) -> tuple[Optional[RuleSet], tuple[Fault, ...]]:
    """The rule set in a file's content, and the faults in it; None when one of these is an error.

    The rule set's name is the stem of `file`.
    """
    return read_content(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"), file)


def _files(paths: Iterable[Union[str, Path]]) -> list[Path]:
    found = [file for path in map(Path, paths) for file in (_inside(path) if path.is_dir() else [path])]
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder  # reading it will say why
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _inside(entry)
        elif entry.suffix in (".yml", ".yaml"):
            yield entry
