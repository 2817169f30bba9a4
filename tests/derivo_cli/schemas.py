"""The schema of rule sets as an editor applies it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema

from derivo_cli.schema import schema


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # in the regular expressions of JSON Schema `$` is the very end; Python's is also before a last line break
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _integer(_: Any, value: Any) -> bool:
    # 80.0 is an integer to JSON Schema; the reader wants 80
    return isinstance(value, int) and not isinstance(value, bool)


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"pattern": _pattern},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _integer),
)
VALIDATOR = Validator(schema())


def accepts(document: object) -> bool:
    """Whether the schema has nothing to say against a rule set."""
    return bool(VALIDATOR.is_valid(document))
