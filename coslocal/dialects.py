"""Dialects: the settings of coslocal where the vendor's documents are silent or disagree.

Each has a name, its choices (the first is the default), and the dated reason. Derivo must be right under every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    name: str
    choices: tuple[str, ...]
    reason: str

    @property
    def default(self) -> str:
        return self.choices[0]


TABLE: tuple[Dialect, ...] = (
    Dialect("event-key", ("raw", "percent-encoded"), "SCF 1.2: encoding of cosObject.key is undocumented (2022 capture: raw)"),
    Dialect("result-events", ("yes", "no"), "CI 1.7: no page says whether objects written by Pic-Operations raise events"),
    Dialect("event-region", ("full", "short-only"), "SCF 1.1: cosRegion and s3Region seen in 2022, absent in 2019-2020 captures"),
    Dialect("partial-failure", ("refuse", "omit"), "CI 1.6: no document describes a per-rule error; refuse the request or omit the failed Object"),
    Dialect("failed-put", ("keep-original", "drop-original"), "CI 1.6: whether the original is stored when processing on PUT fails is not stated"),
    Dialect("fileid-encoding", ("plain", "urlencoded", "base64url"), "CI 1.4: pages disagree; all examples pass plain text"),
    Dialect("pad-colour", ("#FFFFFF", "#3D3D3D"), "CI 4.1: the CI pages (2023-07) and the COS copies disagree"),
    Dialect("crop", ("scale-then-crop", "window"), "CI 4.2: tables up to 2024 against pages of 2026-01"),
    Dialect("segment-order", ("fixed", "textual"), "CI 4: order of operations inside one imageMogr2 segment is not documented"),
    Dialect("format-case", ("lower", "upper"), "CI 1.5: Format of a result is `png` in one example and `PNG` in others"),
    Dialect("pic-info-zero", ("omit-image-info", "include-image-info"), "CI 1.5: the effect of is_pic_info 0 is not documented"),
    Dialect("upscale", ("allow", "never"), "CI 3, 4.1: whether imageView2 2/4/5 and thumbnail WxH enlarge is not documented"),
    Dialect("timer-zone", ("utc+8", "utc"), "SCF 6.2: 583/9708 (2024-12-02) gives Time in UTC and does not say in which zone the cron is read"),
    Dialect("error-status", ("http-status", "ok-with-error"), "CI 9.2: no HTTP status is given for the -6xxxx codes; COS may answer <Error> under 200"),
)  # fmt: skip

BY_NAME: Mapping[str, Dialect] = {dialect.name: dialect for dialect in TABLE}


class DialectError(ValueError):
    """An unknown dialect or choice."""


class Dialects:
    """The choices in force: `dialects["pad-colour"]`."""

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = dict(chosen or {})
        for name, value in self._chosen.items():
            if name not in BY_NAME:
                raise DialectError(f"there is no dialect {name!r}; choose from {', '.join(BY_NAME)}")
            if value not in BY_NAME[name].choices:
                raise DialectError(f"dialect {name} is one of {', '.join(BY_NAME[name].choices)}, not {value!r}")

    def __getitem__(self, name: str) -> str:
        return self._chosen.get(name, BY_NAME[name].default)
