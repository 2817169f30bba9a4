"""x-cos-traffic-limit: how fast one upload or download may be (vendor document 436/40140): a header, or a parameter of
the query, or a field of a form. The server keeps the pace; a core without a socket only checks the number."""

from __future__ import annotations

from coslocal.operations.call import Call
from coslocal.wire.errors import InvalidArgument

NAME = "x-cos-traffic-limit"
LEAST, MOST = 819_200, 838_860_800  # bits a second


def check(call: Call) -> int | None:
    """Bytes a second, None for as fast as it goes. Raises InvalidArgument for what is no number between the limits."""
    asked = call.header(NAME) or call.parameters.get(NAME)
    if asked is None:
        return None
    rate = read(asked)
    if rate is None:
        raise InvalidArgument(f"{NAME} must be a number of bits a second between {LEAST} and {MOST}")
    return rate


def read(text: str) -> int | None:
    """Bytes a second; None for what COS would refuse."""
    if not (text.isascii() and text.isdigit() and len(text) < 12) or not LEAST <= int(text) <= MOST:
        return None
    return int(text) // 8
