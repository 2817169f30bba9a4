"""Keeps pages of docs/ as the code is: `python tools/pages.py` after a table or an output changed.

- Between `<!-- made: NAME -->` and `<!-- end -->` stands a table that is made of one of the code; see PARTS.
- A block "```yaml FOLDER/NAME.yml" is a file; a block "```console" runs the commands after `$ ` beside these files, and
  shows what they print. They exit with 0, or as "```console exit-1" says.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from coslocal import dialects, settled
from derivo import settings
from derivo.ci.steptables import MAP, OUTPUT, STEPS, Member
from derivo.ci.values import AsNode, Decimals, Whole, Word
from derivo.outcomes import CODES, REASONS
from derivo.rulekeys import DERIVATIVE_KEYS, RULE_SET_KEYS, Key
from derivo_cli import codes
from derivo_cli.reconcile import scale

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("rules", "settings", "operations", "dialects", "policy", "scale")
PAGES = [ROOT / "docs" / f"{name}.md" for name in NAMES]
_PART = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"^```(?P<info>[a-z][^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def refreshed(page: str) -> str:
    """The page with every table made, and every command run, anew."""
    page = _PART.sub(lambda part: part[1] + "\n" + PARTS[part[2]]() + "\n" + part[3], page)
    with tempfile.TemporaryDirectory() as folder:
        return BLOCK.sub(lambda block: _played(block, Path(folder)), page)


def _played(block: re.Match[str], folder: Path) -> str:
    language, _, rest = block["info"].partition(" ")
    if language == "yaml" and rest.endswith(".yml"):
        (folder / rest).parent.mkdir(parents=True, exist_ok=True)
        (folder / rest).write_text(block["text"], "utf-8")
    if language != "console":
        return block[0]
    commands = [line for line in block["text"].splitlines() if line.startswith("$ ")]
    expected = int(rest.removeprefix("exit-") or 0)
    shown = "".join(f"{command}\n{_run(command[2:], folder, expected)}" for command in commands)
    return f"```{block['info']}\n{shown}```"


def _run(command: str, folder: Path, expected: int) -> str:
    """What a `derivo` command prints on a terminal of 80 columns."""
    arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, "-c", "from derivo_cli.main import main; main()", *arguments[1:]],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    if arguments[0] != "derivo" or done.returncode != expected:
        raise SystemExit(f"{command}: exit code {done.returncode}, not {expected}\n{done.stdout}")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _keys(table: Mapping[str, Key]) -> str:
    rows = (
        (f"`{name}`", key.kind, "must be there" if key.required else key.default or "-", key.help)
        for name, key in table.items()
    )
    return _table(("key", "value", "default", "meaning"), rows)


def _steps(table: Mapping[str, Member]) -> str:
    return _table(("name", "value", "meaning"), _rows(table))


def _rows(table: Mapping[str, Member], within: str = "") -> Iterable[tuple[str, str, str]]:
    for name, member in table.items():
        yield f"`{within}{name}`", _value(member), member.help
        if member.kind == MAP:
            yield from _rows(member.members, f"{within}{name}: ")


def _value(member: Member) -> str:
    read = member.read.read if isinstance(member.read, AsNode) else member.read
    if isinstance(read, Word):
        return ", ".join(f"`{word}`" for word in read.known)
    if isinstance(read, (Whole, Decimals)):
        return f"{member.kind}, {read.bounds.low} to {read.bounds.high}"
    return member.kind


def _codes(rows: Iterable[codes.Code]) -> Callable[[], str]:
    return lambda: _table(("code", "level", "what it says"), ((f"`{r.code}`", r.level, r.summary) for r in rows))


def _settings() -> str:
    rows = ((f"`{s.name}`", f"`{s.default}`" if s.default else "-", s.help) for s in settings.SETTINGS)
    return _table(("variable", "default", "meaning"), rows)


def _outcome_codes() -> str:
    rows = ((f"`{code}`", "retryable" if retry else "permanent", why) for code, (retry, why) in CODES.items())
    return _table(("code", "kind", "why"), rows)


def _dialects() -> str:
    heads = ("name", "choices", "why it is open")
    tables = (
        f"### {name}\n\n"
        + _table(heads, ((f"`{d.name}`", ", ".join(f"`{choice}`" for choice in d.choices), d.reason) for d in group))
        for name, group in dialects.GROUPS.items()
    )
    return "\n".join(tables)


def _settled() -> str:
    tables = (
        f"### {name}: settled\n\n"
        + _table(("topic", "here", "why there is no choice"), ((s.topic, s.decided, s.why) for s in group))
        for name, group in settled.GROUPS.items()
    )
    return "\n".join(tables)


PARTS: Mapping[str, Callable[[], str]] = {
    "rule-set-keys": lambda: _keys(RULE_SET_KEYS),
    "derivative-keys": lambda: _keys(DERIVATIVE_KEYS),
    "steps": lambda: _steps(STEPS),
    "output": lambda: _steps(OUTPUT),
    "codes-files": _codes(codes.FILES),
    "codes-rules": _codes(codes.RULES),
    "codes-proofs": _codes((*codes.PROOFS, *codes.EXAMPLES)),
    "settings": _settings,
    "dialects": _dialects,
    "settled": _settled,
    "outcome-codes": _outcome_codes,
    "scale-hours": lambda: _table(*scale.hours()),
    "scale-raised": lambda: _table(*scale.raised()),
    "scale-cost": lambda: _table(*scale.cost()),
    "scale-sizes": lambda: _table(*scale.sizes()),
    "scale-sweeps": lambda: _table(*scale.sweeps()),
    "skip-reasons": lambda: _table(("reason", "why"), ((f"`{name}`", why) for name, why in REASONS.items())),
}


def main() -> None:
    """Rewrite the pages that are not as they should be, and name them."""
    for path in PAGES:
        page = path.read_text("utf-8")
        fresh = refreshed(page)
        if fresh != page:
            path.write_text(fresh, "utf-8")
            sys.stdout.write(f"{path}: refreshed\n")


if __name__ == "__main__":
    main()
