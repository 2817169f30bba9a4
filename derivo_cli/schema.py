"""The JSON Schema of a rule set's file, made of the tables that the reader reads by.

It holds the structure: keys, kinds, ranges, words, and what excludes what. What only lint sees is left to lint: the
language of processing rules, the placing of names in a key template, patterns, loops, collisions, examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from derivo import globs, keys, rulekeys
from derivo.ci.limits import KEY_BYTES
from derivo.ci.steptables import MAP, MAX_STEPS, NUMBER, OUTPUT, STEPS, SWITCH, WHOLE, Form, Member
from derivo.ci.values import AsNode, Decimals, Reader, Whole, Word
from derivo.rulekeys import DERIVATIVE_KEYS, RULE_SET_KEYS, WAYS, Key

Schema = dict[str, Any]

_LARGEST = 10**15 - 1  # a size has fifteen digits at most


def text() -> str:
    """The schema as it is printed and kept in rules/schema.json."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def schema() -> Schema:
    """The schema as plain values, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Derivo rule set",
        "description": "Which new images get derivatives, and how these are made. Reference: docs/rules.md",
        **_keyed(RULE_SET_KEYS),
        "$defs": {
            "derivative": {
                **_keyed(DERIVATIVE_KEYS),
                "oneOf": [{"required": [way]} for way in WAYS],
            },
            "step": {
                "type": "object",
                "properties": _members({**STEPS, **OUTPUT}),
                "additionalProperties": False,
                "minProperties": 1,
                "anyOf": [{"maxProperties": 1}, {"propertyNames": {"enum": list(OUTPUT)}}],
            },
        },
    }


def _keyed(table: Mapping[str, Key]) -> Schema:
    return {
        "type": "object",
        "properties": {name: {"description": _described(key), **_kind(key)} for name, key in table.items()},
        "required": [name for name, key in table.items() if key.required],
        "additionalProperties": False,
    }


def _described(key: Key) -> str:
    return f"{key.help} Default: {key.default}." if key.default else key.help


def _whole(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _kind(key: Key) -> Schema:
    found = _kinds()[key.kind]
    least = {"minItems": 1} if key.filled else {}
    if "anyOf" in found:
        return {"anyOf": [{**each, **(least if each.get("type") == "array" else {})} for each in found["anyOf"]]}
    return {**found, **least}


def _kinds() -> Mapping[str, Schema]:
    variables = "|".join(keys.VARIABLES)
    object_key = _whole(rulekeys.KEY_PATTERN)
    return {
        rulekeys.PREFIX: _whole(rulekeys.ROOTLESS_PATTERN),
        rulekeys.SUFFIXES: {"anyOf": [{"const": "any"}, _list(_whole(rulekeys.SUFFIX_PATTERN))]},
        rulekeys.PATTERNS: _list({**_whole(rulekeys.KEY_PATTERN), "maxLength": globs.LENGTH}),
        rulekeys.SIZE: {
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": _LARGEST}, _whole(rulekeys.SIZE_PATTERN)]
        },
        rulekeys.BUCKET: _whole(rulekeys.BUCKET_PATTERN),
        rulekeys.SWITCH: {"type": "boolean"},
        rulekeys.FOLDER: _whole(rulekeys.FOLDER_PATTERN),
        rulekeys.ON_REMOVE: {"enum": list(rulekeys.ON_REMOVE_WORDS)},
        rulekeys.DERIVATIVES: _list({"$ref": "#/$defs/derivative"}),
        rulekeys.EXAMPLES: {
            "type": "object",
            "propertyNames": {"pattern": object_key["pattern"]},
            "additionalProperties": _list(object_key),
        },
        rulekeys.NAME: _whole(rulekeys.NAME_PATTERN),
        rulekeys.TEMPLATE: {
            **_whole(rf"(?:[^{{}}]|\{{\{{|\}}\}}|\{{(?:{variables})\}})+"),
            "maxLength": 4 * KEY_BYTES,
        },
        rulekeys.RULE: {"type": "string", "minLength": 1},
        rulekeys.STYLE: {"type": "string", "minLength": 1},
        rulekeys.STEPS: {**_list({"$ref": "#/$defs/step"}), "maxItems": MAX_STEPS},
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


# --- steps ------------------------------------------------------------------------------------------------------------


def _members(table: Mapping[str, Member]) -> Schema:
    return {name: {"description": member.help, **_value(member)} for name, member in table.items()}


def _value(member: Member) -> Schema:
    if member.kind == MAP:
        return _map(member)
    if member.kind == SWITCH:
        return {"type": "boolean"}
    accepted = _accepted(member.read)
    if member.kind == WHOLE:
        return {"type": "integer", **accepted}
    if member.kind == NUMBER:
        return {"type": "number", **accepted}
    pattern = {"pattern": member.pattern} if member.pattern else {}
    return {"type": "string", "minLength": 1, **pattern, **accepted}


def _accepted(read: Reader | None) -> Schema:
    """The range or the words that a reader takes."""
    if isinstance(read, AsNode):
        return _accepted(read.read)
    if isinstance(read, (Whole, Decimals)):
        return {"minimum": read.bounds.low, "maximum": read.bounds.high}
    if isinstance(read, Word):
        words = {"enum": list(read.known)}
        return {"anyOf": [words, {"pattern": _any_case(read.known)}]} if read.any_case else words
    return {}


def _any_case(words: tuple[str, ...]) -> str:
    return f"^(?:{'|'.join(''.join(f'[{char.upper()}{char}]' for char in word) for word in words)})$"


def _map(member: Member) -> Schema:
    made: Schema = {"type": "object", "properties": _members(member.members), "additionalProperties": False}
    if member.needs:
        made["required"] = list(member.needs)
    if member.forms:
        made["anyOf"] = [_form(form) for form in member.forms.values()]
    return made


def _form(form: Form) -> Schema:
    made: Schema = {"propertyNames": {"enum": list(form.takes)}}
    if form.needs:
        made["required"] = list(form.needs)
    if form.fit:
        made["properties"] = {"fit": {"const": form.fit}}
    if form.either:
        made["anyOf"] = [{"required": [name]} for name in form.either]
    return made
