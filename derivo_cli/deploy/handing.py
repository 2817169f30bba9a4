"""How the code is handed over: within the API's own request, or through a bucket where that is too small (SCF 2.6)."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Protocol

from derivo.cos import Cos, CosFailure
from derivo.ownobjects import FOLDER
from derivo_cli.deploy.model import Package
from derivo_cli.exits import FINDINGS, USAGE, Stop

LARGEST_REQUEST = 10 * 1024 * 1024
"""Bytes of a request that is signed with version 3."""
_REST = 64 * 1024
_CALL_SECONDS = 300.0


class Handing(Protocol):
    """`code` makes a package ready and is the request's Code; `clear` takes away what is not needed any more."""

    def code(self, package: Package) -> dict[str, str]: ...

    def clear(self, package: Package) -> None: ...


class Within:
    """Base64 within the request. Raises Stop where that is too large."""

    def code(self, package: Package) -> dict[str, str]:
        text = base64.b64encode(package.data).decode("ascii")
        if len(text) + _REST > LARGEST_REQUEST:
            raise Stop(
                f"{package.path}: {len(package.data):,} bytes are too many for one signed request of the API, which "
                f"takes {LARGEST_REQUEST:,} with base64; hand it over through a bucket: --code-bucket NAME-APPID",
                USAGE,
            )
        return {"ZipFile": text}

    def clear(self, package: Package) -> None:
        """Nothing is left."""


class Through:
    """An object of a bucket in the function's region, which is deleted once the platform has taken it."""

    def __init__(self, client: Cos, bucket: str, region: str) -> None:
        self._client = client
        self._name, _, self._appid = bucket.rpartition("-")
        if not self._name or not self._appid.isdigit():
            raise Stop(f"--code-bucket {bucket}: write NAME-APPID, such as photos-1250000000", USAGE)
        self._where = {"bucket": bucket, "region": region}

    def code(self, package: Package) -> dict[str, str]:
        key = _key(package)
        try:
            self._client.put(**self._where, key=key, body=package.data, headers={}, timeout=_CALL_SECONDS)
        except CosFailure as failure:
            raise Stop(f"the package cannot be uploaded to {self._where['bucket']}: {failure}", FINDINGS) from None
        return {"CosBucketName": self._name, "CosObjectName": f"/{key}", "CosBucketRegion": self._where["region"]}

    def clear(self, package: Package) -> None:
        with suppress(CosFailure):  # one that is left does no harm, and is the same one the next time
            self._client.delete(**self._where, key=_key(package), timeout=_CALL_SECONDS)


def _key(package: Package) -> str:
    return f"{FOLDER}packages/{package.sha256}.zip"
