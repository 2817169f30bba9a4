"""What the proofs have to say."""

from __future__ import annotations

from dataclasses import dataclass

from derivo.rulesets import Where

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True)
class Step:
    """One turn of the machine: a source, the derivative made of it, and the rule set that takes that for a source.

    `size` (bytes) is one of the source for which the step happens, None when it happens for a source of unknown size.
    Where no rule set names a bucket, an example stands.
    """

    bucket: str
    key: str
    size: int | None
    rule_set: str
    derivative: str
    derivative_bucket: str
    derivative_key: str
    triggers: str | None = None

    def __str__(self) -> str:
        end = f", which rule set {self.triggers} takes for a source" if self.triggers else ""
        return f"{self.key} --{self.rule_set}/{self.derivative}--> {self.derivative_key}{end}"


@dataclass(frozen=True)
class Finding:
    """One refusal, or one warning. `witness` is what really happens under these rule sets; it is empty where the
    finding is that nothing could be proved (PF3xx)."""

    code: str
    rule_set: str
    derivative: str
    where: Where
    message: str
    witness: tuple[Step, ...]
    mend: str
    level: str = ERROR
