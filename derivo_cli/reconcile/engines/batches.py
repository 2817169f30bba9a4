"""CI's batch jobs and templates, as the cloud has them (SCF 8.1, 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from derivo.cos import Cos, CosFailure

ENDED = ("Success", "Failed", "Cancel")
_TAG = "PicProcess"
_SECONDS = 60.0


@dataclass(frozen=True)
class Batch:
    """A batch job. `state` is one of Submitted, Running, Pause, Success, Failed, Cancel; `code` and `message` say why
    it failed; `progress` is in per cent, 0 where it is not told."""

    id: str
    name: str
    state: str
    code: str = ""
    message: str = ""
    progress: int = 0


class Batches(Cos):
    """COS, and its batch jobs. Everything raises CosFailure."""

    def submit(
        self, *, bucket: str, region: str, name: str, urls: str, template: str, target: str, output: str
    ) -> Batch:
        """Begin a job that runs a template over the objects of a list of URLs; `output` is a pattern in `target`."""
        operation = {
            "Tag": _TAG,
            "JobParam": {"TemplateId": template},
            "Output": {"Region": region, "Bucket": target, "Object": output},
        }
        body = {"Name": name, "Type": "Job", "Input": {"UrlFile": urls}, "Operation": operation}
        answer = self.ask(
            "ci_create_inventory_trigger_jobs", region=region, timeout=_SECONDS, Bucket=bucket, JobBody=body
        )
        return _only(answer)

    def batch(self, *, bucket: str, region: str, id: str) -> Batch:
        """How a job stands."""
        return _only(
            self.ask("ci_get_inventory_trigger_jobs", region=region, timeout=_SECONDS, Bucket=bucket, JobID=id)
        )

    def newest(self, *, bucket: str, region: str, name: str) -> Batch | None:
        """The last job that was begun under a name."""
        answer = self.ask(
            "ci_list_inventory_trigger_jobs", region=region, timeout=_SECONDS, Bucket=bucket, Name=name, Type="Job",
            OrderByTime="Desc", Size=100,
        )  # fmt: skip
        return next((batch for batch in _batches(answer) if batch.name == name), None)

    def template(self, *, bucket: str, region: str, name: str, rule: str) -> str:
        """The id of the template of this name, which is made where there is none."""
        answer = self.ask("ci_get_template", region=region, timeout=_SECONDS, Bucket=bucket, Name=name, PageSize=100)
        for found in _list(answer, "TemplateList"):
            if found.get("Name") == name and _members(found.get("PicProcess")).get("ProcessRule") == rule:
                return _id(found, "TemplateId")
        wanted = {"Tag": _TAG, "Name": name, "PicProcess": {"IsPicInfo": "false", "ProcessRule": rule}}
        made = self.ask("ci_create_template", region=region, timeout=_SECONDS, Bucket=bucket, Template=wanted)
        return _id(_members(_members(made).get("Template")), "TemplateId")

    def delete_template(self, *, bucket: str, region: str, id: str) -> None:
        self.ask("ci_delete_template", region=region, timeout=_SECONDS, Bucket=bucket, TemplateId=id)


def _only(answer: Any) -> Batch:
    found = _batches(answer)
    if len(found) != 1:
        raise CosFailure("UnreadableAnswer", "the answer tells of no job")
    return found[0]


def _batches(answer: Any) -> list[Batch]:
    return [
        Batch(
            id=_id(job, "JobId"),
            name=str(job.get("Name") or ""),
            state=str(job.get("State") or ""),
            code=str(job.get("Code") or ""),
            message=str(job.get("Message") or ""),
            progress=int(text) if (text := str(job.get("Progress") or "")).isascii() and text.isdigit() else 0,
        )
        for job in _list(answer, "JobsDetail")
    ]


def _id(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise CosFailure("UnreadableAnswer", f"the answer has no {name}")
    return value


def _list(answer: Any, name: str) -> list[Mapping[str, Any]]:
    found = _members(answer).get(name)
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
