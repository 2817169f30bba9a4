"""The vendor's Python SDK, and what the checks under sdk/ are given of it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qcloud_cos import CosConfig, CosS3Client, CosServiceError

from tests.conformance.target import APPID, Target

_numbers = itertools.count(1)


def sdk(target: Target, **settings: Any) -> Any:
    """A client that reaches coslocal as its proxy; `settings` go to CosConfig."""
    values = {
        "Region": target.region, "SecretId": target.secret_id, "SecretKey": target.secret_key, "Scheme": "http",
        "Proxies": {"http": target.url}, **settings,
    }  # fmt: skip
    return CosS3Client(CosConfig(**values), retry=0)


@dataclass
class Bench:
    """One check's own bucket, empty at first, and a folder for files."""

    target: Target
    client: Any
    bucket: str
    folder: Path

    def put(self, key: str, body: bytes = b"body", **more: Any) -> str:
        """The ETag of the object made."""
        return str(self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)["ETag"])

    def get(self, key: str, **more: Any) -> bytes:
        got = self.client.get_object(Bucket=self.bucket, Key=key, **more)
        return bytes(got["Body"].get_raw_stream().read())

    def head(self, key: str, **more: Any) -> dict[str, str]:
        return dict(self.client.head_object(Bucket=self.bucket, Key=key, **more))

    def keys(self, **more: Any) -> list[str]:
        return [item["Key"] for item in self.client.list_objects(Bucket=self.bucket, **more).get("Contents", [])]

    def source(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": key, "Region": self.target.region}

    def file(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)


def bench(target: Target, folder: Path) -> Bench:
    """A new bucket on `target`."""
    client, bucket = sdk(target), f"python-{next(_numbers)}-{APPID}"
    client.create_bucket(Bucket=bucket)
    return Bench(target, client, bucket, folder)


def refused(status: int, code: str, call: Callable[..., object], *values: Any, **named: Any) -> None:
    """AssertionError unless the call ends in this status and code."""
    try:
        call(*values, **named)
    except CosServiceError as error:
        seen = (error.get_status_code(), error.get_error_code())
        assert seen == (status, code), f"{seen} instead of {(status, code)}: {error.get_error_msg()}"
    else:
        raise AssertionError(f"it was not refused with {status} {code}")


def on(bench: Bench, name: str) -> Callable[..., Any]:
    """A method of the client, its Bucket filled in."""
    return functools.partial(getattr(bench.client, name), Bucket=bench.bucket)
