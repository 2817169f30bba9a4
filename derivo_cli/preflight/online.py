"""Checks that ask the cloud, or a coslocal: buckets, Cloud Infinite, the role. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator

from derivo import settings
from derivo.cos import Cos, CosFailure
from derivo_cli import cloudapi, variables
from derivo_cli.exits import Stop
from derivo_cli.preflight.lines import FAIL, OK, WARN, Line
from derivo_cli.preflight.offline import Given, found_triggers

_SECONDS = 20.0
# a source that never stands: CI says so where it is bound to the bucket, and nothing is made
_NO_SOURCE = ".derivo/preflight/no-such-object"
_RULE = json.dumps({"is_pic_info": 1, "rules": [{"fileid": f"/{_NO_SOURCE}.png", "rule": "imageMogr2/format/png"}]})


def lines(given: Given) -> Iterator[Line]:
    """All of them; where there are no keys, that one line."""
    try:
        configured = settings.read(given.environ)
        configured.require_credentials()
    except settings.SettingsError as error:
        yield Line("keys", FAIL, str(error), "set them, or look at the files alone with --offline")
        return
    yield from _role(given, configured)
    if not given.region:
        return  # that it has no value was told of
    client = Cos(configured)
    for bucket in _buckets(given):
        yield from _bucket(client, bucket, given.region)


def _buckets(given: Given) -> list[str]:
    """Those that triggers watch, and those that derivatives are written to."""
    watched = [t.bucket.partition(".cos.")[0] for t in given.resolved.deployment.triggers]
    found = found_triggers(given)
    wanted = [place.name for place in found.places if place.name] if found else []
    written = [d.bucket for rule_set in given.rule_sets or () for d in rule_set.derivatives if d.bucket]
    return [name for name in dict.fromkeys([*watched, *wanted, *written]) if not variables.has_variable(name)]


def _role(given: Given, configured: settings.Settings) -> Iterator[Line]:
    name = str(given.resolved.deployment.inputs.get("role") or "")
    if not name or variables.has_variable(name):
        return
    try:
        there = cloudapi.has_role(configured, name)
    except Stop as error:
        yield Line("role", WARN, f"whether {name} exists cannot be asked: {error}")
    except cloudapi.ApiFailure as failure:
        yield Line("role", WARN, f"whether {name} exists is not told: {failure}", "look it up in CAM's console")
    else:
        mend = f"make it in CAM for the service scf.qcloud.com, with the policy of: derivo policy --json (role {name})"
        yield Line("role", OK, name) if there else Line("role", FAIL, f"the account has no role {name}", mend)


def _bucket(client: Cos, bucket: str, region: str) -> Iterator[Line]:
    try:
        client.ask("head_bucket", region=region, timeout=_SECONDS, Bucket=bucket)
    except CosFailure as failure:
        if failure.status == 404:
            mend = "make it, or correct DERIVO_BUCKET and DERIVO_REGION: a bucket is found in its own region only"
            yield Line("bucket", FAIL, f"there is no {bucket} in {region}", mend)
        elif failure.status in (301, 302, 307) or failure.code == "Redirected":
            yield Line("bucket", FAIL, f"{bucket} lies in another region than {region}", "correct DERIVO_REGION")
        elif failure.status == 403:
            yield Line("bucket", FAIL, f"{bucket}: these keys may not look at it ({failure.code})", _OTHER_KEYS)
        else:
            yield Line("bucket", FAIL, f"{bucket}: {failure}", "try again; DERIVO_COS_PROXY may point nowhere")
        return
    yield Line("bucket", OK, f"{bucket} is in {region}")
    yield from _versioning(client, bucket, region)
    yield _processing(client, bucket, region)


_OTHER_KEYS = "use keys that may, such as those of derivo policy --for apply"


def _versioning(client: Cos, bucket: str, region: str) -> Iterator[Line]:
    try:
        told = client.ask("get_bucket_versioning", region=region, timeout=_SECONDS, Bucket=bucket)
    except CosFailure as failure:
        yield Line("versioning", WARN, f"{bucket}: whether versions are kept is not told: {failure.code}")
        return
    if isinstance(told, dict) and told.get("Status") == "Enabled":
        yield Line(
            "versioning", WARN, f"{bucket} keeps versions: each derivative that is made again costs its old one too",
            "add a lifecycle rule for old versions under the derivatives' prefixes",
        )  # fmt: skip


def _processing(client: Cos, bucket: str, region: str) -> Line:
    """Whether CI is bound to the bucket, by asking it to process an object that is not there."""
    try:
        client.process(bucket=bucket, region=region, key=_NO_SOURCE, pic_operations=_RULE, timeout=_SECONDS)
    except CosFailure as failure:
        if failure.status == 404 or failure.code == "NoSuchKey":
            return Line("processing", OK, f"{bucket} is bound to Cloud Infinite")
        if failure.code == "NoProcessAuthority":
            mend = "bind it in the console of Cloud Infinite (Data Processing), or wait for its first use"
            return Line("processing", FAIL, f"{bucket}: Cloud Infinite may not process it", mend)
        if failure.status == 403:
            return Line("processing", WARN, f"{bucket}: these keys may not process ({failure.code})", _OTHER_KEYS)
        return Line("processing", WARN, f"{bucket}: whether Cloud Infinite is bound is not told: {failure}")
    return Line("processing", WARN, f"{bucket}: an object that should not be there was processed: {_NO_SOURCE}")
