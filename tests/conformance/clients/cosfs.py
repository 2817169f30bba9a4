"""cosfs's own tests, as they stand in its wheel. Nothing of them is changed: fsspec reads the scheme from FSSPEC_*."""

from __future__ import annotations

import subprocess

from tests.conformance.python_sdk import sdk
from tests.conformance.results import Result, from_junit
from tests.conformance.target import APPID, Target
from tests.conformance.workshop import Workshop

NAME = "cosfs's own tests"
TESTS = 159
_BUCKET = f"cosfs-{APPID}"


def prepare(workshop: Workshop) -> str:
    return workshop.version_of("cosfs")


def run(workshop: Workshop, target: Target) -> list[Result]:
    room = workshop.room("cosfs")
    sdk(target).create_bucket(Bucket=_BUCKET)
    (room / "pytest.ini").write_text("[pytest]\nmarkers = performance\n")
    environment = target.environment(
        FSSPEC_COSN_SCHEME="http", COS_SECRET_ID=target.secret_id, COS_SECRET_KEY=target.secret_key,
        COS_REGION=target.region, COS_BUCKET=_BUCKET,
    )  # fmt: skip
    command = [str(workshop.python()), "-m", "pytest", "--pyargs", "cosfs.tests", "-m", "not performance", "-q"]
    command += ["-p", "no:cacheprovider", "--junitxml", "report.xml"]
    done = subprocess.run(command, cwd=room, env=environment, check=False, capture_output=True, text=True)
    report = room / "report.xml"
    results = from_junit(report.read_text()) if report.exists() else []
    if len(results) < TESTS:
        results.append(Result("every test is run", f"{len(results)} of {TESTS}: {done.stdout[-2000:]}{done.stderr}"))
    return results
