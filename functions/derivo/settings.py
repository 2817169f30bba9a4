"""Every setting in one table: it feeds the environment, `--help` and the docs. Nothing else reads os.environ."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Optional

import msgspec

from derivo import fileids


class SettingsError(ValueError):
    """A setting is missing or malformed; the message names it and says what to do."""


class Setting(msgspec.Struct, frozen=True):
    """`attribute` of Settings, the environment variable's `name`, its default as text, its parser, a line of help."""

    attribute: str
    name: str
    default: str
    parse: Callable[[str], Any]
    help: str


def _scheme(text: str) -> str:
    if text not in ("http", "https"):
        raise ValueError("expected http or https")
    return text


def _proxy(text: str) -> Optional[str]:
    if not text:
        return None
    if not text.startswith(("http://", "https://")):
        raise ValueError("expected a URL such as http://127.0.0.1:9000")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 900:
        raise ValueError("expected seconds, above 0 and up to 900")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("expected a whole number from 0 upward")
    return value


def _hours(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 24 * 366:
        raise ValueError("expected hours, from 0 up to a year")
    return value


def _one_of(*words: str) -> Callable[[str], Optional[str]]:
    def parse(text: str) -> Optional[str]:
        if text and text not in words:
            raise ValueError(f"expected {', '.join(words[:-1])} or {words[-1]}")
        return text or None

    return parse


SETTINGS: tuple[Setting, ...] = (
    Setting("rules", "DERIVO_RULES", "", str, "folder of YAML rule sets; default: a package's own"),
    Setting("scheme", "DERIVO_COS_SCHEME", "https", _scheme, "scheme for COS: https, or http for coslocal"),
    Setting(
        "proxy", "DERIVO_COS_PROXY", "", _proxy, "URL of a coslocal (or another HTTP proxy) in the place of the cloud"
    ),
    Setting("call_timeout", "DERIVO_CALL_TIMEOUT", "60", _seconds, "longest time one call of COS may take, in seconds"),
    Setting(
        "max_requests_per_minute",
        "DERIVO_MAX_REQUESTS_PER_MINUTE",
        "1200",
        _count,
        "processing calls one instance may make a minute before it stops; 0: no limit",
    ),
    Setting(
        "fileid_encoding",
        "DERIVO_FILEID_ENCODING",
        "",
        _one_of(*fileids.ENCODINGS),
        "how COS reads fileids: plain, urlencoded or base64url; default: Derivo finds out where it matters",
    ),
    Setting(
        "fileid_path",
        "DERIVO_FILEID_PATH",
        "",
        _one_of(*fileids.PATHS),
        "what COS makes of `//` in fileids: literal or normalised; default: Derivo finds out where it matters",
    ),
    Setting(
        "sweep_hours",
        "DERIVO_SWEEP_HOURS",
        "24",
        _hours,
        "hours from the beginning of one round of self-healing to the next; 0: at once",
    ),
    Setting("region", "TENCENTCLOUD_REGION", "", str, "region used when neither event nor command line names one"),
    Setting("secret_id", "TENCENTCLOUD_SECRETID", "", str, "SecretId; set by the platform from the execution role"),
    Setting("secret_key", "TENCENTCLOUD_SECRETKEY", "", str, "SecretKey; set by the platform from the execution role"),
    Setting("token", "TENCENTCLOUD_SESSIONTOKEN", "", str, "session token of temporary keys, where there is one"),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values in force. See SETTINGS for their meaning."""

    rules: str = ""
    scheme: str = "https"
    proxy: Optional[str] = None
    call_timeout: float = 60.0
    max_requests_per_minute: int = 1200
    fileid_encoding: Optional[str] = None
    fileid_path: Optional[str] = None
    sweep_hours: float = 24.0
    region: str = ""
    secret_id: str = ""
    secret_key: str = ""
    token: str = ""

    def __repr__(self) -> str:
        # law 9: a Settings that lands in a log or a traceback must not carry the keys with it
        return f"Settings(rules={self.rules!r}, scheme={self.scheme!r}, proxy={self.proxy!r}, region={self.region!r})"

    def require_credentials(self) -> None:
        """Raise SettingsError unless there is a SecretId and a SecretKey."""
        missing = [
            name
            for name, value in (("TENCENTCLOUD_SECRETID", self.secret_id), ("TENCENTCLOUD_SECRETKEY", self.secret_key))
            if not value
        ]
        if missing:
            raise SettingsError(
                f"no credentials: {' and '.join(missing)} not set. In the cloud, give the function an execution role "
                "(serverless.yml: inputs.role); elsewhere, set the variables"
            )


def read(environ: Optional[Mapping[str, str]] = None) -> Settings:
    """Settings from the environment. Raises SettingsError that names the variable."""
    values = os.environ if environ is None else environ
    parsed: dict[str, Any] = {}
    for setting in SETTINGS:
        text = values.get(setting.name, "").strip() or setting.default
        try:
            parsed[setting.attribute] = setting.parse(text)
        except ValueError as error:
            raise SettingsError(f"{setting.name}={text!r}: {error}") from None
    return Settings(**parsed)
