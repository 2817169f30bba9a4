"""The bill of materials of a package: CycloneDX 1.6 as JSON. The same package gives the same bytes."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from derivo import __version__
from derivo_cli.exits import Stop
from derivo_cli.packaging.distributions import Distribution
from derivo_cli.packaging.licences import UNKNOWN

FILE = "sbom.cdx.json"
_DERIVO = f"pkg:pypi/derivo@{__version__}"


def encode(distributions: Iterable[Distribution], facts: Mapping[str, str]) -> bytes:
    """`facts` are about the whole package. No date: the serial number is made of the content instead."""
    parts = sorted(distributions, key=lambda part: part.name)
    bill: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": _DERIVO,
                "name": "derivo",
                "version": __version__,
                "purl": _DERIVO,
                "licenses": [{"license": {"id": "MIT"}}],
            },
            "properties": [{"name": f"derivo:{name}", "value": value} for name, value in sorted(facts.items())],
        },
        "components": [_component(part) for part in parts],
        "dependencies": [
            {"ref": _DERIVO, "dependsOn": [_purl(part) for part in parts]},
            *({"ref": _purl(part)} for part in parts),
        ],
    }
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill))}"
    return json.dumps(bill, indent=1, sort_keys=True).encode() + b"\n"


def facts_of(package: Path) -> dict[str, str]:
    """What `encode` was told about a package: python, platform, byte-code, rules-sha256. Raises Stop for no package."""
    try:
        with zipfile.ZipFile(package) as opened:
            told = json.loads(opened.read(FILE))["metadata"]["properties"]
        return {item["name"].removeprefix("derivo:"): item["value"] for item in told}
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise Stop(f"{package} is no package of derivo: {error}") from None


def _component(part: Distribution) -> dict[str, Any]:
    """`hashes` are those of the file that the registry serves, as requirements.txt pins it."""
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(part),
        "name": part.name,
        "version": part.version,
        "purl": _purl(part),
        "hashes": [{"alg": "SHA-256", "content": part.sha256}],
    }
    if part.licence != UNKNOWN:
        one = " " not in part.licence
        component["licenses"] = [{"license": {"id": part.licence}} if one else {"expression": part.licence}]
    return component


def _purl(part: Distribution) -> str:
    return f"pkg:pypi/{part.name}@{part.version}"
