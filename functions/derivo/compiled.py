"""Rule sets as a package carries them: read back without YAML, and equal to what was read when it was built."""

from __future__ import annotations

from pathlib import Path

import msgspec

from derivo import __version__
from derivo.rulesets import ERROR, Fault, Loaded, RuleSet, Where

FILE = "rules.msgpack"
"""Beside index.py."""


class _Envelope(msgspec.Struct, frozen=True):
    """The rule sets stay undecoded until it is known that this version wrote them. `sources` is the YAML's digest."""

    derivo: str
    sources: str
    rule_sets: msgspec.Raw


def encode(rule_sets: tuple[RuleSet, ...], sources: str) -> bytes:
    """The same rule sets give the same bytes."""
    raw = msgspec.Raw(msgspec.msgpack.encode(rule_sets))
    return msgspec.msgpack.encode(_Envelope(__version__, sources, raw))


def decode(data: bytes) -> tuple[RuleSet, ...]:
    """Raises ValueError, with a message for the user, unless this version of derivo encoded it."""
    try:
        envelope = msgspec.msgpack.decode(data, type=_Envelope)
        if envelope.derivo == __version__:
            return msgspec.msgpack.decode(envelope.rule_sets, type=tuple[RuleSet, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"not compiled rule sets: {error}") from None
    raise ValueError(f"compiled by derivo {envelope.derivo[:20]}, and this is {__version__}")


def load(file: Path) -> Loaded:
    """As derivo.loading.load, of compiled rule sets: what is wrong is a fault, and nothing is raised."""
    try:
        return Loaded(decode(file.read_bytes()))
    except OSError as error:
        problem = error.strerror or "the file cannot be read"
    except ValueError as error:
        problem = str(error)
    where = Where(str(file), 1, 1)
    return Loaded(
        (), (Fault(code="RS113", level=ERROR, message=problem, where=where, mend="run derivo package again"),)
    )
