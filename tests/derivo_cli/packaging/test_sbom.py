"""The bill of materials: valid CycloneDX, complete, and the same for the same package."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from derivo import __version__
from derivo_cli.packaging import sbom
from derivo_cli.packaging.building import CLOUD
from derivo_cli.packaging.fetching import PLATFORM
from derivo_cli.packaging.requirements import read
from tests.derivo_cli.packaging.built import ROOT, package

TARGET = CLOUD[-1]


def bill() -> dict[str, Any]:
    with zipfile.ZipFile(package(TARGET).path) as opened:
        made: dict[str, Any] = json.loads(opened.read(sbom.FILE))
    return made


def test_it_is_what_cyclonedx_asks_for() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill())) is None


def test_it_names_every_package_with_its_version_file_and_licence() -> None:
    made = bill()
    pins = {pin.name: pin for pin in read(ROOT / "requirements.txt")}
    assert [component["name"] for component in made["components"]] == sorted(pins)
    for component in made["components"]:
        pin = pins[component["name"]]
        assert component["version"] == pin.version
        assert component["purl"] == component["bom-ref"] == f"pkg:pypi/{pin.name}@{pin.version}"
        (digest,) = component["hashes"]
        assert digest["alg"] == "SHA-256"
        assert digest["content"] in pin.hashes
        assert component["licenses"][0]["license"]["id"]
    whole = made["metadata"]["component"]
    assert (whole["name"], whole["version"]) == ("derivo", __version__)
    by_name = {dependency["ref"]: dependency.get("dependsOn", []) for dependency in made["dependencies"]}
    assert by_name[whole["bom-ref"]] == [component["bom-ref"] for component in made["components"]]


def test_it_tells_how_the_package_was_built_and_when_not() -> None:
    facts = sbom.facts_of(package(TARGET).path)
    assert facts["python"] == TARGET
    assert facts["platform"] == PLATFORM
    assert re.fullmatch(r"[0-9a-f]{64}", facts["rules-sha256"])
    assert facts["byte-code"] == (f"CPython {package(TARGET).byte_code}" if package(TARGET).byte_code else "none")
    assert "timestamp" not in bill()["metadata"]


def test_the_same_content_gives_the_same_bill_and_other_content_another() -> None:
    parts = package(TARGET).packages
    facts = {"python": "3.10"}
    assert sbom.encode(parts, facts) == sbom.encode(tuple(reversed(parts)), facts)
    serial = json.loads(sbom.encode(parts, facts))["serialNumber"]
    assert json.loads(sbom.encode(parts[1:], facts))["serialNumber"] != serial
