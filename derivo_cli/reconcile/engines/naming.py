"""How a batch job names what it writes: key templates as CI's output patterns, and which rule sets have none (SCF 8.1).

Whether `${InputPath}` ends in a slash is not documented: a trial tells. What a pattern gives for a source is worked out
here, and a source for which that is not the planned key is never handed to a job.
"""

from __future__ import annotations

from derivo import keys, ownobjects
from derivo.ci import to_text
from derivo.rulesets import Derivative, RuleSet

PATH, NAME, EXT, JOB = "${InputPath}", "${InputName}", "${ext}", "${InventoryTriggerJobId}"
TRIALS = f"{ownobjects.FOLDER}batch/"
TRIAL = f"{TRIALS}{JOB}/{PATH}~{NAME}~{EXT}"


def unfit(rule_set: RuleSet) -> str:
    """Why no batch job can do what the rule set says, "" when one can."""
    if rule_set.manifest is not None:
        return "it keeps a manifest, which a batch job does not write"
    for derivative in rule_set.derivatives:
        if any(isinstance(part, keys.Text) and "${" in part.text for part in derivative.to.parts):
            return f"the key of {derivative.name} holds `${{`, which a batch job would fill in"
        if to_text(derivative.rule).startswith("style/"):
            return f"{derivative.name} is a style of the bucket; batch jobs take rules"
    return ""


def pattern(derivative: Derivative, *, slash: bool) -> str | None:
    """The output of a derivative's job; `slash`: ${InputPath} ends in one. None: there is none for its key template."""
    folder = PATH if slash else PATH + "/"
    texts = {
        keys.PATH: f"{folder}{NAME}.{EXT}",
        keys.DIR: None if slash else PATH,
        keys.DIR_SLASH: folder,
        keys.NAME: f"{NAME}.{EXT}",
        keys.STEM: NAME,
        keys.EXT: EXT,
        keys.DOT_EXT: f".{EXT}",
        keys.DERIVATIVE: derivative.name,
        keys.SPEC: derivative.spec,
    }
    made = "" if derivative.to.absolute else folder
    for part in derivative.to.parts:
        text = part.text if isinstance(part, keys.Text) else texts[part.name]
        if text is None:
            return None
        made += text
    return made


def filled(output: str, source_key: str, *, slash: bool) -> str | None:
    """The key that a job makes of an output for a source; None where that is not certain."""
    folder, mark, name = source_key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if "${" in source_key or not dot or not stem or not extension:
        return None
    values = {PATH: folder + mark if slash else folder, NAME: stem, EXT: extension}
    for wildcard, value in values.items():
        output = output.replace(wildcard, value)
    return output


def tried(key: str, job: str, source_key: str) -> bool | None:
    """What the key of a trial tells: whether ${InputPath} ends in a slash; None when CI fills patterns in otherwise."""
    found = {filled(TRIAL.replace(JOB, job), source_key, slash=slash): slash for slash in (True, False)}
    return found.get(key)
