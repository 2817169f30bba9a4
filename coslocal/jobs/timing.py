"""Times as jobs write them: 2022-07-18T15:16:43+0800 (CI 1.8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from coslocal.jobs.errors import invalid

_ZONE = timezone(timedelta(hours=8))
_FORM = "%Y-%m-%dT%H:%M:%S%z"


def written(seconds: float) -> str:
    """`-` for a time that is not set."""
    return datetime.fromtimestamp(int(seconds), UTC).astimezone(_ZONE).strftime(_FORM) if seconds else "-"


def read(text: str, name: str) -> float | None:
    """Unix seconds; None for an empty text. Raises JobError."""
    if not text:
        return None
    try:
        return datetime.strptime(text, _FORM).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise invalid(f"{name} must be a time such as 2022-07-18T15:16:43+0800") from None
