"""Reading the Pic-Operations header (CI 1.2). Strict: what is malformed is refused as a whole, before anything is done.

A wrong type or value is refused; under the dialect header-types=lenient is_pic_info may be a text or a boolean too.
What becomes of members that CI does not name is the dialect header-members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from coslocal.ci import errors
from coslocal.dialects import Dialects
from derivo.ci import limits


@dataclass(frozen=True)
class AskedRule:
    """One output: `bucket` is None for the source's own."""

    bucket: str | None
    fileid: str
    rule: str


@dataclass(frozen=True)
class PicOperations:
    pic_info: bool
    rules: tuple[AskedRule, ...]


_MEMBERS = frozenset(("is_pic_info", "rules"))
_MEMBERS_OF_RULE = frozenset(("bucket", "fileid", "rule"))


def read(header: str, dialects: Dialects | None = None) -> PicOperations:
    """The header's content. Raises ImageError InvalidPicOperations."""
    try:
        header.encode()
        value = json.loads(header, parse_constant=_refuse)
    except UnicodeEncodeError:
        raise errors.invalid_rule("Pic-Operations is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise errors.invalid_rule(f"Pic-Operations is not one line of JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.invalid_rule("Pic-Operations must be a JSON object")
    rules = value.get("rules", [])
    if not isinstance(rules, list):
        raise errors.invalid_rule("Pic-Operations: rules must be an array")
    if len(rules) > limits.RULES_PER_REQUEST:
        raise errors.too_many_rules(len(rules), limits.RULES_PER_REQUEST)
    dialects = dialects or Dialects()
    if dialects["header-members"] == "refuse":
        _check_members(value, _MEMBERS, "Pic-Operations")
        for at, rule in enumerate(rules):
            _check_members(rule, _MEMBERS_OF_RULE, f"Pic-Operations: rules[{at}]")
    lenient = dialects["header-types"] == "lenient"
    return PicOperations(_pic_info(value, lenient), tuple(_rule(at, rule) for at, rule in enumerate(rules)))


def _check_members(value: Any, known: frozenset[str], where: str) -> None:
    strange = sorted(set(value) - known) if isinstance(value, dict) else []
    if strange:
        raise errors.invalid_rule(f"{where} has no member {strange[0]!r}")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _pic_info(value: Mapping[str, Any], lenient: bool) -> bool:
    found = value.get("is_pic_info", 0)
    if lenient and (found in ("0", "1") or isinstance(found, bool)):
        found = int(found)
    if type(found) is not int or found not in (0, 1):
        raise errors.invalid_rule(f"Pic-Operations: is_pic_info is 0 or 1, not {json.dumps(found)}")
    return found == 1


def _rule(at: int, value: Any) -> AskedRule:
    where = f"Pic-Operations: rules[{at}]"
    if not isinstance(value, dict):
        raise errors.invalid_rule(f"{where} must be a JSON object")
    for name in ("fileid", "rule"):
        if not isinstance(value.get(name), str) or not value[name].strip():
            raise errors.invalid_rule(f"{where}.{name} must be a text that is not empty")
    bucket = value.get("bucket")
    if bucket is not None and (not isinstance(bucket, str) or not bucket):
        raise errors.invalid_rule(f"{where}.bucket must be a bucket's name with its APPID")
    return AskedRule(bucket, value["fileid"], value["rule"].strip())
