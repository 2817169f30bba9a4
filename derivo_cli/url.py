"""cos://BUCKET/KEY as it is written on the command line. The key is taken as it stands: nothing is decoded (law 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from derivo.rulekeys import BUCKET_PATTERN
from derivo_cli.exits import Stop


@dataclass(frozen=True)
class CosUrl:
    """`bucket` is `<name>-<appid>`; `key` may be empty."""

    bucket: str
    key: str


def parse(text: str) -> CosUrl:
    """Raises Stop (usage) that says what is wrong."""
    scheme, separator, rest = text.partition("://")
    if scheme != "cos" or not separator:
        raise Stop(f"{text!r} is not a COS address; write cos://BUCKET-APPID/KEY")
    bucket, _, key = rest.partition("/")
    try:
        key.encode()
    except UnicodeEncodeError:
        raise Stop("the key is not UTF-8, which every key in COS is") from None
    if not re.fullmatch(BUCKET_PATTERN, bucket):
        raise Stop(f"{bucket!r} is not a bucket's full name; write it with its appid: cos://photos-1250000000/{key}")
    return CosUrl(bucket, key)
