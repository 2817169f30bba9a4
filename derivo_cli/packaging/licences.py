"""The licence of a package, as an SPDX expression, by its own metadata; and which may go into the function."""

from __future__ import annotations

from email.message import Message

ALLOWED = frozenset(["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0"])
"""Permissive ones, and MPL-2.0, which asks of unchanged files no more than their text and their source."""

UNKNOWN = "NOASSERTION"

_SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    **{name.lower(): name for name in ALLOWED},
}


def licence(metadata: Message) -> str:
    """License-Expression, else the License field, else the classifiers; NOASSERTION for what names none we know."""
    expression = str(metadata.get("License-Expression") or "").strip()
    if expression:
        return expression
    classifiers = [str(line).split(" :: ") for line in metadata.get_all("Classifier") or ()]
    said = [str(metadata.get("License") or ""), *(parts[-1] for parts in classifiers if parts[0] == "License")]
    return next((_SPDX[text.strip().lower()] for text in said if text.strip().lower() in _SPDX), UNKNOWN)


def is_allowed(expression: str) -> bool:
    """Whether the expression leaves a choice that is allowed; parentheses are more than any of ours needs: refused."""
    return any(
        all(part.strip() in ALLOWED for part in choice.split(" AND ")) for choice in expression.split(" OR ")
    )  # fmt: skip
