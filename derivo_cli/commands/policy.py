"""derivo policy: the least that a role needs, from the rule sets and serverless.yml."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivo_cli import policy, policy_places, rules, serverless, variables
from derivo_cli.exits import DONE, FINDINGS, Stop
from derivo_cli.policy import Statement, Who
from derivo_cli.triggers.choosing import Impossible

_NOTE = (
    "policy: the least that ?image_process needs is not documented (CI 1.3, SCF 9): these are all rights that pages "
    "name for it; should an account still say AccessDenied, try --post-on-sources, then QcloudCIFullAccess beside it"
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says; `who` is function or apply."""

    buckets: Sequence[str] = ()
    region: str | None = None
    who: str = Who.FUNCTION.value
    posts: bool = False
    as_json: bool = False


def run(file: Path | None, rules_folder: Path, options: Options, *, console: Console) -> int:
    """Print the policy, as a table or as CAM's JSON."""
    rule_sets = rules.proved(rules_folder)
    deployment, folder = _deployment(file)
    try:
        environ = variables.environment(folder, deployment.stage)
        deployed = policy_places.deployed(
            deployment, rule_sets, environ, buckets=options.buckets, region=options.region, posts=options.posts
        )
        made = policy.statements(rule_sets, deployed, Who(options.who))
    except Impossible as error:
        raise Stop(f"{error}\n  mend: {error.mend}", FINDINGS) from None
    except ValueError as error:
        raise Stop(str(error)) from None
    if options.as_json:
        sys.stdout.write(policy.as_json(policy.document(made, deployed.region)))
    else:
        console.print(_table(made))
    sys.stderr.write(_NOTE + "\n")
    return DONE


def _deployment(file: Path | None) -> tuple[serverless.Deployment, Path]:
    """serverless.yml, the one named or the one here; an empty one where there is none and nobody named it."""
    path = file or Path("serverless.yml")
    if file is None and not path.is_file():
        return serverless.Deployment({}, ()), Path()
    try:
        return serverless.read(path), path.parent
    except (OSError, ValueError) as error:
        raise Stop(f"{path}: {error}") from None


def _table(made: Iterable[Statement]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("effect", "actions", "on", "what for"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "actions")
    for each in made:
        places = "\n".join(
            f"{place.bucket}/{'' if place.prefix is None else place.prefix + '*'}" for place in each.places
        )
        actions = "\n".join(action.removeprefix(policy.COS) for action in each.actions)
        cells = ("allow" if each.allows else "deny", actions, places, "; ".join(each.why))
        table.add_row(*map(Text, cells), end_section=True)
    return table
