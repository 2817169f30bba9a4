"""The parameters of an action: from a JSON body or a query to a typed value, or the documented error."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from coslocal.http import Request
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.place import Place

Wanted = TypeVar("Wanted", bound=msgspec.Struct)
_DEEPEST = 20


class Parameters(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """What request types derive from: `function_name` is `FunctionName` on the wire, and nothing unknown passes."""


def given(request: Request, place: Place, body: bytes) -> dict[str, Any]:
    """The parameters as they came. Those whose value is null count as absent. Raises ApiError."""
    if request.method == "GET":
        return _unflattened(place.query)
    if request.method != "POST":
        raise ApiError("UnsupportedProtocol", f"The API takes GET and POST, not {request.method}")
    kind = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError("UnsupportedProtocol", f"A POST must have the Content-Type application/json, not {kind[:100]}")
    try:
        parameters = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("InvalidParameter", "The body is not JSON") from None
    if not isinstance(parameters, dict):
        raise ApiError("InvalidParameter", "The body must be a JSON object")
    return {name: value for name, value in parameters.items() if value is not None}


def read(wanted: type[Wanted], parameters: dict[str, Any], *, lax: bool) -> Wanted:
    """The parameters as `wanted`; when `lax`, numbers may be text, as in a query. Raises ApiError."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    unknown = [name for name in parameters if name not in fields]
    if unknown:
        raise ApiError("UnknownParameter", f"The parameter `{unknown[0][:100]}` is not recognized")
    missing = [name for name, field in fields.items() if field.required and name not in parameters]
    if missing:
        raise ApiError("MissingParameter", f"The request is missing the parameter `{missing[0]}`")
    try:
        return msgspec.convert(parameters, wanted, strict=not lax)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ApiError("InvalidParameter", str(error)[:500]) from error


def _unflattened(query: str) -> dict[str, Any]:
    """`Filter.RetCode=is0&Names.0=a` as the objects and lists that these names stand for."""
    whole: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        *path, last = name.split(".", _DEEPEST)
        at = whole
        for step in path:
            at = at.setdefault(step, {})
            if not isinstance(at, dict):
                raise ApiError("InvalidParameter", f"The parameter `{name[:100]}` has two meanings")
        at[last] = value
    return {name: _with_lists(value) for name, value in whole.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(name.isascii() and name.isdigit() and len(name) <= 4 for name in value):
        return [_with_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _with_lists(item) for name, item in value.items()}
