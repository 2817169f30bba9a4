"""/_coslocal/scf/: the queues and counts of the functions, and what each run printed."""

from __future__ import annotations

from coslocal.app import Coslocal
from coslocal.http import Response
from coslocal.internal import Visit, answer_json
from coslocal.scf.service import Scf


def add_pages(app: Coslocal, scf: Scf) -> None:
    """Offer `scf/status` and `scf/logs`; a reset also forgets the events that wait."""

    def status(visit: Visit) -> Response:
        return answer_json(scf.status())

    def logs(visit: Visit) -> Response:
        """`?request_id=` the attempts at one event, `?function=`; the newest `?last=N` (default 100), oldest first."""
        request_id, function = visit.parameter("request_id"), visit.parameter("function")
        runs = scf.runs.select(lambda run: request_id in (None, run.request_id) and function in (None, run.function))
        size = min(visit.count("last", 100), len(runs))
        return answer_json({"runs": [run.as_json() for run in runs[len(runs) - size :]]})

    app.pages.add("GET", "scf/status", status)
    app.pages.add("GET", "scf/logs", logs)
    app.forgetting.append(scf.forget)
