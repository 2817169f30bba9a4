"""What lost events left undone is made good as in life: `derivo plan`, and what `derivo apply` does with each source.

Apply's own engine shares the sources out to threads; here they are taken one after the other, so that a seed gives the
same run again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from derivo.ci.prices import PRICES
from derivo.clock import Clock, Deadline
from derivo.cos import Cos
from derivo.derive import derive
from derivo.matching import RuleSetIndex
from derivo.outcomes import WRITTEN
from derivo_cli.reconcile import planfile, planning
from derivo_cli.reconcile.executing import Unit, units
from derivo_cli.url import CosUrl
from tests.chaos import worlds

_SECONDS = 300.0


def reconcile(index: RuleSetIndex, cos: Cos, clock: Clock) -> int:
    """Plan and carry out, and again for each rule set that is chained: what it makes comes with the next plan. Returns
    how many derivatives were written."""
    written = 0
    for _ in range(1 + sum(rule_set.chained for rule_set in index.considered)):
        for unit in _planned(index, cos):
            work = derive(unit.plan, cos, Deadline(clock, _SECONDS))
            written += sum(outcome.status == WRITTEN for outcome in work.outcomes)
    return written


def _planned(index: RuleSetIndex, cos: Cos) -> Iterator[Unit]:
    with tempfile.TemporaryDirectory(prefix="chaos-plan-") as folder:
        request = planning.Request(CosUrl(worlds.BUCKET, ""), worlds.REGION, index)
        made = planning.make(request, cos, Path(folder))
        file = Path(folder, "plan.parquet")
        try:
            planfile.write(made.store, file, made.head)
        finally:
            made.store.close()
        yield from units(planfile.PlanFile(file), index, worlds.REGION, PRICES)
