"""What a fault makes of an answer."""

from __future__ import annotations

from coslocal import faultshapes as shapes
from coslocal.faultshapes import Fault, status_of
from coslocal.http import NO_ANSWER, Response, first_bytes
from coslocal.wire.errors import CosError, SlowDown


def early(fault: Fault | None) -> Response | None:
    """The answer in place of the operation, None where it is to run. Raises CosError."""
    return _answer(fault) if getattr(fault, "when", "before") == "before" and fault is not None else None


def late(fault: Fault | None, response: Response) -> Response:
    """The answer once the operation has run. Raises CosError."""
    if fault is None:
        return response
    if isinstance(fault, shapes.Truncate):
        return _cut(fault, response)
    other = _answer(fault)
    if other is None:
        return response
    response.close()
    return other


def _answer(fault: Fault | None) -> Response | None:
    if isinstance(fault, shapes.Throttle):
        raise SlowDown
    if isinstance(fault, shapes.Error):
        error = CosError(fault.message or f"A fault was asked for: {fault.code}")
        error.code, error.status = fault.code, status_of(fault.code, fault.status)
        raise error
    if isinstance(fault, shapes.Reset):
        return Response(cut=NO_ANSWER)
    if isinstance(fault, shapes.Replace):
        body = fault.body.encode()
        return Response(fault.status, [("Content-Type", fault.content_type)] if body else [], body)
    return None


def _cut(fault: shapes.Truncate, response: Response) -> Response:
    """The answer with the beginning of its body."""
    size = response.length if response.length is not None else len(response.body)  # type: ignore[arg-type]
    kept = size // 2 if fault.bytes is None else fault.bytes
    if kept >= size:
        return response
    if not fault.clean:
        response.length, response.cut = size, kept
        return response
    response.body = b"".join(first_bytes(response.body, kept))
    response.length = kept
    return response
