"""The vendor's Python SDK, its wide surface: every check has a bucket of its own."""

from __future__ import annotations

import functools
import logging
from importlib.metadata import version
from pathlib import Path

from tests.conformance.python_sdk import bench
from tests.conformance.results import Result, attempt, checks_of, title
from tests.conformance.sdk import buckets, images, multipart, objects
from tests.conformance.target import Target
from tests.conformance.workshop import Workshop

NAME = "Python SDK"
CHECKS = checks_of([objects, multipart, buckets, images])


def prepare(workshop: Workshop) -> str:
    logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)  # every refused request is an ERROR to it
    return version("cos-python-sdk-v5")


def run(workshop: Workshop, target: Target) -> list[Result]:
    return [attempt(title(check), functools.partial(one, check, target, workshop.room("python"))) for check in CHECKS]


def one(check: object, target: Target, folder: Path) -> None:
    assert callable(check)
    check(bench(target, folder))
