"""serverless.yml deploys what stands here, and avoids the platform's traps; the check itself finds each trap."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from derivo.loading import load
from derivo_cli import serverless
from derivo_cli.triggers.deploying import wanted
from derivo_cli.triggers.editing import edited

ROOT = Path(__file__).resolve().parents[2]


def deployment(inputs: dict[str, Any], tmp_path: Path) -> serverless.Deployment:
    path = tmp_path / "serverless.yml"
    path.write_text(yaml.safe_dump({"component": "scf", "name": "derivo", "inputs": inputs}), "utf-8")
    return serverless.read(path)


@pytest.fixture
def inputs() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    return copy.deepcopy(document["inputs"])


def test_our_own_has_no_fault() -> None:
    assert serverless.faults(serverless.read(ROOT / "serverless.yml"), ROOT) == []


def test_its_triggers_are_those_of_the_sample_rules() -> None:
    text = (ROOT / "serverless.yml").read_text("utf-8")
    made = wanted(serverless.parse(text), load(str(ROOT / "rules")).rule_sets, {})
    assert edited(text, made.triggers) == text


def test_no_output_fires_a_trigger() -> None:
    triggers = serverless.read(ROOT / "serverless.yml").triggers
    for rule_set in load(str(ROOT / "rules")).rule_sets:
        for example in rule_set.examples:
            for key in example.expected:
                assert not any(key.startswith(trigger.prefix) for trigger in triggers), key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": None}, "inputs.type"),
        ({"runtime": "Python3.6"}, "inputs.runtime"),
        ({"timeout": 3}, "inputs.timeout"),
        ({"timeout": 901}, "inputs.timeout"),
        ({"memorySize": 200}, "inputs.memorySize"),
        ({"role": None}, "inputs.role"),
        ({"publicAccess": False}, "inputs.publicAccess"),
        ({"retryNum": 2}, "inputs.retryNum"),
        ({"asyncRunEnable": True}, "inputs.asyncRunEnable"),
        ({"handler": "main.main_handler"}, "inputs.handler"),
        ({"src": "./functions"}, "inputs.src.exclude"),
        ({"environment": {"variables": {"SCF_MINE": "1"}}}, "SCF_MINE"),
        ({"environment": {"variables": {"RULES": "x" * 5000}}}, "inputs.environment.variables"),
        ({"events": []}, "inputs.events"),
    ],
)
def test_each_trap_is_found(inputs: dict[str, Any], change: dict[str, Any], said: str, tmp_path: Path) -> None:
    inputs.update(change)
    found = serverless.faults(deployment(inputs, tmp_path), ROOT)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"enable": None}, "enable"),
        ({"filter": {"prefix": "new/", "suffix": "jpg"}}, "suffix"),
        ({"events": "cos:ObjectRestore:*"}, "events"),
        ({"events": "s3:ObjectCreated:*"}, "events"),
        ({"filter": {"prefix": "products/shoes/"}}, "overlaps"),
        ({"filter": {"prefix": ""}}, "overlaps"),
    ],
)
def test_each_trigger_trap_is_found(
    inputs: dict[str, Any], parameters: dict[str, Any], said: str, tmp_path: Path
) -> None:
    trigger = copy.deepcopy(inputs["events"][0])
    trigger["cos"]["parameters"].update({"filter": {"prefix": "new/"}, **parameters})
    inputs["events"].append(trigger)
    found = serverless.faults(deployment(inputs, tmp_path), ROOT)
    assert found
    assert all(said in text for text in found)


def test_two_suffixes_of_one_prefix_do_not_overlap(inputs: dict[str, Any], tmp_path: Path) -> None:
    first = copy.deepcopy(inputs["events"][0])
    first["cos"]["parameters"]["filter"] = {"prefix": "new/", "suffix": ".jpg"}
    second = copy.deepcopy(first)
    second["cos"]["parameters"]["filter"]["suffix"] = ".png"
    inputs["events"] = [first, second]
    assert serverless.faults(deployment(inputs, tmp_path), ROOT) == []


def test_more_than_ten_triggers_are_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    one = inputs["events"][0]
    inputs["events"] = []
    for number in range(11):
        trigger = copy.deepcopy(one)
        trigger["cos"]["parameters"]["filter"] = {"prefix": f"{number:02}/"}
        inputs["events"].append(trigger)
    found = serverless.faults(deployment(inputs, tmp_path), ROOT)
    assert len(found) == 1
    assert "11 COS triggers" in found[0]


def test_creation_and_removal_of_one_prefix_do_not_overlap(inputs: dict[str, Any], tmp_path: Path) -> None:
    removal = copy.deepcopy(inputs["events"][0])
    removal["cos"]["parameters"]["events"] = "cos:ObjectRemove:*"
    inputs["events"].append(removal)
    assert serverless.faults(deployment(inputs, tmp_path), ROOT) == []
