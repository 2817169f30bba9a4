"""Checks that need nothing but the files here: serverless.yml, its variables, the rule sets, the package."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from derivo.ci import limits
from derivo.loading import load
from derivo.ownobjects import FOLDER
from derivo.rulekeys import BUCKET_PATTERN
from derivo.rulesets import ERROR, Fault, RuleSet
from derivo_cli import linting, serverless, variables
from derivo_cli.deploy import reading
from derivo_cli.preflight.lines import FAIL, OK, WARN, Line
from derivo_cli.triggers.choosing import Impossible
from derivo_cli.triggers.deploying import Wanted, wanted
from derivo_cli.triggers.editing import edited

# The regions that the vendor's pages name; a newer one is no fault (SCF 1.3, CI 1.3).
REGIONS = frozenset(
    {
        *(f"ap-{place}" for place in (
            "bangkok", "beijing", "beijing-1", "beijing-fsi", "chengdu", "chongqing", "guangzhou", "hongkong",
            "jakarta", "mumbai", "nanjing", "seoul", "shanghai", "shanghai-fsi", "shenzhen-fsi", "singapore", "tokyo",
        )),
        "eu-frankfurt", "eu-moscow", "na-ashburn", "na-siliconvalley", "na-toronto", "sa-saopaulo",
    }
)  # fmt: skip
_REGION = re.compile(r"[a-z]{2}-[a-z]+(-[a-z0-9]+)?")
_BUCKET = re.compile(BUCKET_PATTERN)
_DOMAIN = re.compile(r"(?P<bucket>.*)\.cos\.(?P<region>[^.]*)\.myqcloud\.com")


@dataclass(frozen=True)
class Given:
    """What there is to look at. `text` is the file's own, `written` and `resolved` what it says without and with values
    for its variables; `rule_sets` None: they have errors."""

    file: Path
    text: str
    written: serverless.Deployment
    resolved: variables.Resolved
    environ: Mapping[str, str]
    rules_folder: Path
    rule_sets: tuple[RuleSet, ...] | None
    faults: tuple[Fault, ...]
    package: Path

    @property
    def region(self) -> str:
        """The deployment's region, "" while it has no value."""
        text = str(self.resolved.deployment.inputs.get("region") or "")
        return "" if variables.has_variable(text) else text


def gather(file: Path, rules_folder: Path, package: Path, stage: str | None) -> Given:
    """Raises ValueError or OSError for a file that cannot be looked at at all."""
    text = file.read_bytes().decode("utf-8")
    written = serverless.parse(text)
    environ = variables.environment(file.parent, stage or written.stage)
    loaded = load(str(rules_folder))
    faults = linting.lint(loaded, written)
    broken = any(fault.level == ERROR for fault in faults)
    return Given(
        file=file,
        text=text,
        written=written,
        resolved=variables.resolve(written, environ, stage),
        environ=environ,
        rules_folder=rules_folder,
        rule_sets=None if broken else loaded.rule_sets,
        faults=faults,
        package=package,
    )


def lines(given: Given) -> Iterator[Line]:
    """All of them, the ones that others depend on first."""
    yield from _variables(given)
    yield from _region(given)
    yield from _buckets(given)
    yield from _function(given)
    yield from rule_lines(given)
    yield from _package(given)


def rule_lines(given: Given) -> Iterator[Line]:
    """Whether the rule sets may be deployed, and the file's triggers serve them."""
    yield from _rules(given)
    yield from _triggers(given)


def _variables(given: Given) -> Iterator[Line]:
    found = given.resolved
    where = f"in the environment, or in {given.file.parent / f'.env.{found.stage}'} as NAME=VALUE"
    for name in found.undefined:
        yield Line(
            "variables", FAIL, f"${{env:{name}}} is not defined; the platform's tool passes it on as nothing",
            f"set {name} {where}",
        )  # fmt: skip
    for name in found.unknown:
        yield Line(
            "variables", WARN, f"${{{name}}} is known to the platform's own tool alone", "write ${env:NAME} instead"
        )
    if not found.undefined and not found.unknown:
        yield Line("variables", OK, f"every variable has a value for the stage {found.stage}")


def _region(given: Given) -> Iterator[Line]:
    text = str(given.resolved.deployment.inputs.get("region") or "")
    if not text:
        yield Line("region", FAIL, "inputs.region is missing", "name it, such as ap-guangzhou")
    elif variables.has_variable(text):
        return  # the variable was told of
    elif text in REGIONS:
        yield Line("region", OK, text)
    elif _REGION.fullmatch(text):
        yield Line("region", WARN, f"{text} is no region that the vendor's pages name", "see whether it is misspelt")
    else:
        yield Line("region", FAIL, f"{text!r} is no region", "write it as in ap-guangzhou, not by a short name")


def _buckets(given: Given) -> Iterator[Line]:
    domains = dict.fromkeys(trigger.bucket for trigger in given.resolved.deployment.triggers)
    for domain in domains:
        found = _DOMAIN.fullmatch(domain)
        if variables.has_variable(domain):
            continue
        if found is None:
            yield Line("buckets", FAIL, f"{domain!r} is no bucket's domain", "write NAME-APPID.cos.REGION.myqcloud.com")
        elif not _BUCKET.fullmatch(found["bucket"]):
            yield Line(
                "buckets", FAIL, f"{found['bucket']!r} is no bucket's full name",
                "write it with its appid, such as photos-1250000000",
            )  # fmt: skip
        elif given.region and found["region"] != given.region:
            yield Line(
                "buckets", FAIL, f"{found['bucket']} is in {found['region']}, the function in {given.region}",
                "deploy to the bucket's region: a trigger cannot cross regions (SCF 1.5)",
            )  # fmt: skip
        else:
            yield Line("buckets", OK, found["bucket"])


def _function(given: Given) -> Iterator[Line]:
    faults = reading.faults(given.resolved.deployment, given.region, given.file.parent) if given.region else []
    # buckets have lines of their own, and variables that have no value were told of
    told = [text for text in faults if not text.startswith("inputs.events: ") or " does not lie in " not in text]
    for text in told:
        place, _, mend = text.partition(": ")
        yield Line("function", FAIL, place, mend)
    if not told and given.region:
        yield Line("function", OK, f"{given.resolved.deployment.inputs.get('runtime')}, role and limits are in order")


def _rules(given: Given) -> Iterator[Line]:
    for fault in given.faults:
        level = FAIL if fault.level == ERROR else WARN
        yield Line("rules", level, f"{fault.where}: {fault.code}: {fault.message}", fault.mend or "")
    if given.rule_sets == ():
        yield Line("rules", FAIL, f"there are no rule sets in {given.rules_folder}", "name their folder with --rules")
    elif given.rule_sets is not None and not given.faults:
        yield Line("rules", OK, f"{len(given.rule_sets)} in {given.rules_folder}: no loop, no collision")


def found_triggers(given: Given) -> Wanted | None:
    """The triggers that the rule sets need, None where that cannot be told."""
    try:
        return wanted(given.written, given.rule_sets, given.environ) if given.rule_sets else None
    except Impossible:
        return None


def _triggers(given: Given) -> Iterator[Line]:
    if not given.rule_sets:
        return
    try:
        found = wanted(given.written, given.rule_sets, given.environ)
    except Impossible as error:
        yield Line("triggers", FAIL, str(error), error.mend)
        return
    try:
        same = edited(given.text, found.triggers, found.timers) == given.text
    except ValueError:
        same = set(map(repr, given.written.triggers)) == set(map(repr, found.triggers)) and not found.timers
    if not same:
        yield Line("triggers", FAIL, f"{given.file} has others than the rule sets need", "run derivo triggers --write")
    else:
        yield Line("triggers", OK, f"{len(found.triggers)} of {limits.TRIGGERS}: every source, and no derivative")
    if any(FOLDER.startswith(trigger.prefix) and not trigger.suffix for trigger in found.triggers):
        yield Line(
            "triggers", WARN, f"a trigger on the whole bucket fires for Derivo's own notes under {FOLDER} too",
            "give the rule set a prefix, unless a few needless invocations do not matter",
        )  # fmt: skip


def _package(given: Given) -> Iterator[Line]:
    path = given.package
    if not path.is_file():
        yield Line("package", WARN, f"{path} is not built", "run make package")
        return
    local = given.environ.get("DERIVO_COS_SCHEME") == "http"
    faults = reading.package_faults(path, given.resolved.deployment.inputs, given.file.parent, local=local)
    for text in faults:
        yield Line("package", FAIL, *_with_mend(text))
    if faults:
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(item.file_size for item in archive.infolist())
    packed = path.stat().st_size
    shown = f"{path}: {packed / 1e6:.1f} MB, unpacked {unpacked / 1e6:.1f} MB"
    if unpacked > limits.CODE_BYTES:
        yield Line("package", FAIL, f"{shown}; the platform takes {limits.CODE_BYTES / 1e6:.0f} MB", "leave files out")
    elif packed > limits.ZIP_BYTES:
        yield Line(
            "package", WARN, f"{shown}; above {limits.ZIP_BYTES / 1e6:.0f} MB it is uploaded through a bucket",
            "the platform's own tool does that by itself",
        )  # fmt: skip
    else:
        yield Line("package", OK, shown)


def _with_mend(text: str) -> tuple[str, str]:
    says, _, mend = text.rpartition("; ")
    return (says, mend) if says else (mend, "run make package")
