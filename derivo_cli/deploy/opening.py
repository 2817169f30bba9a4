"""What the commands begin with: which function serverless.yml means, the cloud it is in, and words for what fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from derivo import settings
from derivo.clock import Clock, SystemClock
from derivo.cos import Cos
from derivo_cli import serverless, variables
from derivo_cli.cloudapi import ApiFailure, scf_client
from derivo_cli.deploy import reading
from derivo_cli.deploy.cloud import Cloud, Missing
from derivo_cli.deploy.handing import Through, Within
from derivo_cli.deploy.model import Address
from derivo_cli.exits import FINDINGS, USAGE, Stop

_MENDS = {
    "AuthFailure": "check TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY, and this machine's clock",
    "UnauthorizedOperation": "the key's user lacks a right: docs/deploy.md lists those that deploying needs",
    "InvalidParameterValue.CosNotifyRuleConflict": "another trigger of the bucket, perhaps another function's, holds "
    "this prefix; derivo never removes what is not this function's: choose another prefix, or remove that one by hand",
    "ResourceNotFound.Role": "inputs.role names no role of this account",
    "ResourceNotFound.Cos": "a trigger names a bucket that is not there",
    "LimitExceeded.FunctionVersions": "delete old versions in the console: derivo deletes none, so that there is "
    "something to roll back to",
    "ClientNetworkError": "whether it was done is not known; run the command again: it goes on from what is there",
}


def configured(file: Path, stage: str) -> settings.Settings:
    """The settings of the environment, and of .env beside the file. Raises Stop."""
    try:
        return settings.read(variables.environment(file.parent, stage))
    except ValueError as error:
        raise Stop(str(error), USAGE) from None


@contextmanager
def existing(file: Path, stage: str | None, clock: Clock | None = None) -> Iterator[Cloud]:
    """The function that the file means, whatever else in it has no value: an emergency asks for no more."""
    try:
        written = serverless.read(file)
        stage = stage or written.stage
        found = variables.resolve(written, variables.environment(file.parent, stage), stage).deployment
    except FileNotFoundError:
        raise Stop(f"there is no {file}; name it with --serverless", USAGE) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Stop(f"{file}: {reason}", USAGE) from None
    for name in ("name", "namespace", "region"):
        if variables.has_variable(str(found.inputs.get(name) or "")):
            raise Stop(f"{file}: inputs.{name} has no value: {found.inputs[name]}; set its variable", USAGE)
    with opened(reading.address(found), configured(file, stage), clock) as cloud:
        yield cloud


@contextmanager
def opened(
    address: Address, found: settings.Settings, clock: Clock | None = None, code_bucket: str | None = None
) -> Iterator[Cloud]:
    """The cloud where the function is, or will be; code goes there through the bucket, where one is given. What the API
    refuses within becomes one line and its mend."""
    client = scf_client(found, address.region)
    handing = Through(Cos(found), code_bucket, address.region) if code_bucket else Within()
    try:
        yield Cloud(client, address, clock or SystemClock(), handing)
    except Missing:
        raise Stop(f"there is no function {address}; derivo deploy makes it", FINDINGS) from None
    except ApiFailure as failure:
        mend = next((text for code, text in _MENDS.items() if failure.code.startswith(code)), "")
        raise Stop(f"{address}: {failure}" + (f"; {mend}" if mend else ""), FINDINGS) from None
