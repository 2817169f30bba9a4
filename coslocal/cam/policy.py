"""CAM policies, version 2.0: read strictly, and decided upon. Deny is over allow, and nothing is allowed unasked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

VERSION = "2.0"
_SEGMENTS = 6


class CamPolicyError(ValueError):
    """A policy that CAM would refuse, or that says more than coslocal can hold anyone to."""


class Decision(Enum):
    """What a policy says of a request; SILENT is no leave."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Statement:
    """`actions` such as name/cos:GetObject, `resources` such as
    qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/in/*; a star stands for any text."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def concerns(self, action: str, resource: str) -> bool:
        return any(_is_action(pattern, action) for pattern in self.actions) and any(
            _is_resource(pattern, resource) for pattern in self.resources
        )


@dataclass(frozen=True)
class CamPolicy:
    """The statements that hold for an identity, of all policies that are attached to it."""

    statements: tuple[Statement, ...]

    def decide(self, action: str, resource: str) -> Decision:
        """What becomes of an action (name/cos:...) on a resource, both spelt out."""
        found = [statement.allows for statement in self.statements if statement.concerns(action, resource)]
        return Decision.SILENT if not found else Decision.ALLOW if all(found) else Decision.DENY

    def allows(self, action: str, resource: str) -> bool:
        return self.decide(action, resource) is Decision.ALLOW

    def beside(self, other: CamPolicy) -> CamPolicy:
        """Both policies attached to one identity."""
        return CamPolicy((*self.statements, *other.statements))


def read(text: str | bytes) -> CamPolicy:
    """The policy of a document. Raises CamPolicyError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CamPolicyError(f"not JSON: {error}") from None
    return understood(document)


def understood(document: object) -> CamPolicy:
    """As `read`, of the JSON's content."""
    members = _members(document, "the policy", ("version", "statement"))
    if members.get("version") != VERSION:
        raise CamPolicyError(f'the policy has no `"version": "{VERSION}"`')
    statements = members.get("statement")
    listed = statements if isinstance(statements, list) else [statements]
    return CamPolicy(tuple(_statement(each, f"statement {at}") for at, each in enumerate(listed, 1)))


def _statement(value: object, where: str) -> Statement:
    members = _members(value, where, ("effect", "action", "resource", "sid"))
    effect = str(members.get("effect", "")).lower()
    if effect not in ("allow", "deny"):
        raise CamPolicyError(f"{where}: `effect` is allow or deny")
    resources = _texts(members.get("resource"), f"{where}: `resource`")
    for resource in resources:
        if resource != "*" and (not resource.startswith("qcs:") or resource.count(":") < _SEGMENTS - 1):
            raise CamPolicyError(
                f"{where}: {resource!r} is no resource: write * or qcs::cos:REGION:uid/APPID:BUCKET-APPID/PREFIX*"
            )
    return Statement(effect == "allow", _texts(members.get("action"), f"{where}: `action`"), resources)


def _members(value: object, where: str, known: Iterable[str]) -> Mapping[str, Any]:
    """Members by their name in lower case: the vendor's samples write them both ways."""
    if not isinstance(value, dict):
        raise CamPolicyError(f"{where} is no JSON object")
    members = {str(name).lower(): item for name, item in value.items()}
    strange = sorted(members.keys() - set(known))
    if strange:
        raise CamPolicyError(f"{where}: coslocal does not offer `{strange[0]}`, and will not pass it over")
    return members


def _texts(value: object, where: str) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise CamPolicyError(f"{where} is a text, or a list of texts")
    return tuple(texts)


def _is_action(pattern: str, action: str) -> bool:
    """Pages write name/cos:GetObject and cos:GetObject for the same (CI 1.3, SCF 9)."""
    return like(pattern.removeprefix("name/"), action.removeprefix("name/"))


def _is_resource(pattern: str, resource: str) -> bool:
    """Segment by segment: qcs, project, service, region, account, resource. An empty one of a pattern stands for any,
    as the region does where the vendor prints none (SCF 9)."""
    if pattern == "*":
        return True
    patterns, segments = (text.split(":", _SEGMENTS - 1) for text in (pattern, resource))
    return all(not wanted or like(wanted, given) for wanted, given in zip(patterns, segments, strict=True))


def like(pattern: str, text: str) -> bool:
    """Whether the text is the pattern's, in which a star stands for any text. Linear in the text for each star."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
