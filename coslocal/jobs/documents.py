"""Reading the requests that make jobs and templates (CI 1.8, SCF 8.1). Raises JobError InvalidArgument, NotOffered."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from coslocal.ci.types import ImageError
from coslocal.jobs import timing
from coslocal.jobs.errors import invalid
from coslocal.jobs.types import TAG, Callback, Interval, Output
from coslocal.wire.errors import NotOffered
from coslocal.wire.xml import text

_WAYS = ("Prefix", "Manifest", "UrlFile", "Object")
MOST_OPERATIONS = 6
MOST_USER_DATA = 1024
MOST_NAME = 128


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One operation as it was asked for: `rule` None where a template is to give it."""

    template: str
    rule: str | None
    pic_info: bool
    output: Output
    user_data: str
    level: int
    queue: str
    callback: Callback


@dataclass(frozen=True, kw_only=True)
class AskedBatch:
    name: str
    way: str
    where: str
    interval: Interval
    asked: Asked
    inline: bool


def value(element: Element, path: str) -> str:
    """The text at a path, without the spaces around it, "" when there is none."""
    return (text(element, path) or "").strip()


def pic_jobs(root: Element) -> tuple[str, list[Asked]]:
    """The input's key, and one wish an Operation (several in POST /jobs: SCF 8.2)."""
    check_tag(value(root, "Tag"))
    key = text(root, "Input/Object") or ""
    if not key:
        raise invalid("Input.Object is missing")
    operations = root.findall("Operation")
    if not 1 <= len(operations) <= MOST_OPERATIONS:
        raise invalid(f"A request holds 1 to {MOST_OPERATIONS} Operations, not {len(operations)}")
    return key, [_asked(root, operation, operation) for operation in operations]


def batch(root: Element) -> AskedBatch:
    kind = value(root, "Type")
    if kind == "Workflow":
        raise NotOffered("coslocal does not offer batch jobs of Type Workflow")
    if kind != "Job":
        raise invalid("Type is Job or Workflow")
    name = value(root, "Name")
    if not 1 <= len(name) <= MOST_NAME:
        raise invalid(f"Name has 1 to {MOST_NAME} characters")
    operation = root.find("Operation")
    if operation is None:
        raise invalid("Operation is missing")
    check_tag(value(operation, "Tag"))
    given = [(way, found) for way in _WAYS if (found := text(root, f"Input/{way}"))]
    if len(given) != 1:
        raise invalid(f"Input takes exactly one of {', '.join(_WAYS)}")
    parameters = operation.find("JobParam")
    if parameters is None:
        raise invalid("Operation.JobParam is missing")
    start, end = value(operation, "TimeInterval/Start"), value(operation, "TimeInterval/End")
    return AskedBatch(
        name=name, way=given[0][0], where=given[0][1],
        interval=Interval(
            start=timing.read(start, "TimeInterval.Start"), end=timing.read(end, "TimeInterval.End"),
            start_text=start, end_text=end,
        ),
        asked=_asked(root, operation, parameters), inline=parameters.find("PicProcess") is not None,
    )  # fmt: skip


def pic_process(element: Element) -> tuple[str, bool]:
    """The rule and IsPicInfo of a PicProcess. Raises JobError when CI would not take the rule."""
    rule = value(element, "ProcessRule")
    if not rule:
        raise invalid("PicProcess.ProcessRule is missing")
    from coslocal.ci.execute import read  # libvips is loaded by the first job only

    try:
        read(rule)
    except ImageError as error:
        raise invalid(f"PicProcess.ProcessRule: {error.message}") from None
    return rule, _flag(value(element, "IsPicInfo"))


def check_tag(tag: str) -> None:
    if not tag:
        raise invalid("Tag is missing")
    if tag != TAG:
        raise NotOffered(f"coslocal does not offer jobs with the Tag {tag[:64]}, only {TAG}")


def _asked(root: Element, operation: Element, parameters: Element) -> Asked:
    template = value(parameters, "TemplateId")
    inline = parameters.find("PicProcess")
    if inline is None and not template:
        raise invalid("TemplateId or PicProcess is missing")
    rule, pic_info = (None, False) if template or inline is None else pic_process(inline)
    user_data, level = value(operation, "UserData"), value(operation, "JobLevel") or "0"
    if len(user_data) > MOST_USER_DATA or not (user_data.isascii() and user_data.isprintable()):
        raise invalid(f"UserData is up to {MOST_USER_DATA} printable ASCII characters")
    if level not in ("0", "1", "2"):
        raise invalid("JobLevel is 0, 1 or 2")
    return Asked(
        template=template, rule=rule, pic_info=pic_info, output=_output(operation), user_data=user_data,
        level=int(level), queue=value(root, "QueueId") or value(operation, "QueueId"),
        callback=_callback(root, operation),
    )  # fmt: skip


def _output(operation: Element) -> Output:
    region, bucket, name = (text(operation, f"Output/{part}") or "" for part in ("Region", "Bucket", "Object"))
    for part, found in (("Region", region), ("Bucket", bucket), ("Object", name)):
        if not found:
            raise invalid(f"Output.{part} is missing")
    return Output(region=region, bucket=bucket, object=name.removeprefix("/"))


def _callback(root: Element, operation: Element) -> Callback:
    """Where the news of an end goes: pic jobs have it in the request, batches in the operation."""
    of = root if root.find("CallBack") is not None else operation
    url, format, kind = (value(of, name) for name in ("CallBack", "CallBackFormat", "CallBackType"))
    if kind not in ("", "Url"):
        raise NotOffered(f"coslocal does not offer CallBackType {kind[:16]}, only Url")
    if format.upper() not in ("", "XML", "JSON"):
        raise invalid("CallBackFormat is XML or JSON")
    return Callback(url="" if url == "no" else url, format=format.upper() or "XML")


def _flag(found: str) -> bool:
    if found.lower() not in ("", "true", "false", "0", "1"):
        raise invalid("PicProcess.IsPicInfo is true or false")
    return found.lower() in ("true", "1")
