"""derivo deploy against coslocal's API, with the vendor's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coslocal.pytest_plugin import BUCKET
from derivo import settings
from derivo_cli.deploy import reading
from derivo_cli.deploy.model import Config, Kind, Trigger
from derivo_cli.deploy.opening import opened
from derivo_cli.deploy.reading import Options
from derivo_cli.exits import DONE, FINDINGS, Stop


def test_nothing_is_done_unless_it_is_asked_for(world: Any) -> None:
    assert world.deploy(dry_run=True) == FINDINGS
    assert world.writes == []
    assert world.deploy(yes=False) == FINDINGS
    assert world.writes == []
    assert "do it with --yes" in world.said
    assert world.scf.functions == {}


def test_a_first_deploy_makes_everything_and_it_serves(world: Any) -> None:
    assert world.deploy() == DONE
    assert world.writes == [
        "CreateFunction", "PutReservedConcurrencyConfig", "UpdateFunctionEventInvokeConfig", "PublishVersion",
        "UpdateAlias", "CreateTrigger", "CreateTrigger",
    ]  # fmt: skip
    assert "100 calls/s in ap-guangzhou x 0.9 x 0.5 s a call = 45 runs at once x 128 MB" in world.said
    assert "version 1" in world.said
    assert world.tide.slept, "it waited until the function was Active"
    world.upload("in/a.jpg")
    assert world.served() == [("a.jpg", "1")]
    state = world.state()
    assert state["reserved"] == 45 * 128
    assert "derivo-role" in state["function"]


@pytest.mark.parametrize("desc", ["sent", "with-bucket"])
@pytest.mark.parametrize("timer", [None, "0 0 3 * * * *"])
def test_a_second_deploy_changes_nothing(make: Callable[..., Any], desc: str, timer: str | None) -> None:
    world = make(dialects={"trigger-desc": desc})
    world.triggers("in/", "北京 a+b%/", timer=timer)
    world.deploy()
    before = world.state()
    assert world.deploy() == DONE
    assert world.writes == []
    assert "no changes" in world.said
    assert world.state() == before


def test_secrets_are_never_printed(world: Any) -> None:
    world.deploy()
    said = world.said
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "30", "API_TOKEN": "other-s3cret"}})
    world.deploy()
    said += world.said
    assert "API_TOKEN" in said
    assert "s3cret" not in said
    assert "variable DERIVO_CALL_TIMEOUT: 60 -> 30" in said
    assert world.state()["function"][7] == {"DERIVO_CALL_TIMEOUT": "30", "API_TOKEN": "other-s3cret"}


def test_variables_of_others_are_kept_and_own_ones_follow_the_file(world: Any) -> None:
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "60", "DERIVO_RULES": "x", "HAND": "made"}})
    world.deploy()
    world.write(environment={"variables": {"DERIVO_CALL_TIMEOUT": "60"}})
    assert world.deploy() == DONE
    assert "- variable DERIVO_RULES" in world.said
    assert "are kept: HAND" in world.said
    assert world.state()["function"][7] == {"DERIVO_CALL_TIMEOUT": "60", "HAND": "made"}
    world.deploy()
    assert world.writes == []


def test_other_settings_alone_upload_no_code(world: Any) -> None:
    world.deploy()
    world.write(memorySize=256, description="Another one")
    assert world.deploy() == DONE
    assert world.writes == [
        "PutReservedConcurrencyConfig", "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias",
    ]  # fmt: skip
    assert "memory: 128 -> 256" in world.said
    assert "5,760 MB -> 11,520 MB" in world.said
    world.upload("in/a")
    assert world.served() == [("a", "2")]


def test_other_code_alone_changes_no_configuration(world: Any) -> None:
    world.deploy()
    world.pack(**{"more.txt": "x"})
    assert world.deploy() == DONE
    assert world.writes == ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"]
    assert "code: " in world.said


def test_code_that_somebody_else_uploaded_does_no_harm(world: Any) -> None:
    """$DEFAULT names a version, and versions do not change; the next change brings the right code again."""
    world.deploy()
    before = world.state()
    package = (world.folder / "dist" / "function.zip").read_bytes()
    world.pack("def main_handler(event, context): 1/0")
    with_cloud(world, lambda cloud, package: cloud.update_code("index.main_handler", package))
    (world.folder / "dist" / "function.zip").write_bytes(package)
    assert world.deploy() == DONE
    assert world.writes == []
    world.write(timeout=90)
    world.deploy()
    assert "UpdateFunctionCode" in world.writes
    assert world.state()["code"] == before["code"]


def with_cloud(world: Any, work: Callable[..., None]) -> None:
    """Do something behind the command's back, by its own client."""
    package = reading.package(world.folder / "dist" / "function.zip")
    address = reading.address(reading.resolved(world.file, None).deployment)
    with opened(address, settings.read(), world.tide) as cloud:
        work(cloud, package)
        cloud.settled()


def test_triggers_follow_the_file_and_those_of_others_stay(world: Any) -> None:
    world.deploy()
    world.triggers("in/sub/", "more/", "new/", timer="0 */5 * * * * *")
    assert world.deploy() == DONE
    changes = [name for name in world.writes if "Trigger" in name]
    assert sorted(changes) == ["CreateTrigger", "CreateTrigger", "CreateTrigger", "DeleteTrigger"]
    assert "+ trigger cos" in world.said and "- trigger cos" in world.said
    assert {trigger.prefix for trigger in world.scf.triggers} == {"in/sub/", "more/", "new/"}
    assert [timer.name for timer in world.scf.timers] == ["sweep"]
    assert "derivo apply" in world.said
    world.write(events=None, ignoreTriggers=True)
    with pytest.raises(Stop, match="there is no COS trigger"):
        world.deploy()


def test_a_trigger_of_another_function_is_not_touched(world: Any) -> None:
    world.document["name"] = "other"
    world.triggers("theirs/")
    world.deploy()
    world.document["name"] = "derivo"
    world.triggers("in/")
    world.deploy()
    assert {(trigger.function, trigger.prefix) for trigger in world.scf.triggers} == {
        ("other-dev", "theirs/"),
        ("derivo-dev", "in/"),
    }
    world.triggers("theirs/sub/")
    with pytest.raises(Stop, match=r"CosNotifyRuleConflict.*another function's"):
        world.deploy()
    assert ("other-dev", "theirs/") in {(trigger.function, trigger.prefix) for trigger in world.scf.triggers}
    world.triggers("in/")
    assert world.deploy() == DONE


def test_what_cannot_be_changed_is_made_anew_and_told(world: Any) -> None:
    world.deploy()
    world.write(runtime="Python3.9")
    assert world.deploy(dry_run=True) == FINDINGS
    assert "runtime: Python3.10 -> Python3.9" in world.said
    assert "are lost" in world.said
    world.stop()
    with pytest.raises(Stop, match="derivo start"):
        world.deploy()
    assert world.writes == [], "what is stopped is not made anew, for that would forget it"
    world.start()
    assert world.deploy() == DONE
    assert sorted(world.writes) == [
        "CreateFunction", "CreateTrigger", "CreateTrigger", "DeleteFunction", "DeleteTrigger", "DeleteTrigger",
        "PublishVersion", "PutReservedConcurrencyConfig", "UpdateAlias", "UpdateFunctionEventInvokeConfig",
    ]  # fmt: skip
    assert world.state()["function"][1] == "Python3.9"
    world.deploy()
    assert world.writes == []


def test_a_function_that_could_not_be_created_is_made_anew(world: Any) -> None:
    world.pack(code="x", **{"../out.py": "x"})
    with pytest.raises(Stop, match=r"CreateFailed.*outside"):
        world.deploy()
    world.pack()
    assert world.deploy() == DONE
    assert "CreateFailed" in world.said
    world.upload("in/a")
    assert world.served() == [("a", "1")]


def test_an_update_that_failed_leaves_what_served_and_is_mended(world: Any) -> None:
    world.deploy()
    world.pack(**{"../out.py": "x"})
    with pytest.raises(Stop, match="UpdateFailed"):
        world.deploy()
    world.upload("in/a")
    assert world.served() == [("a", "1")]
    world.pack(**{"fine.txt": "x"})
    assert world.deploy() == DONE
    world.upload("in/b")
    assert world.served()[-1] == ("b", "2")


def test_a_function_of_another_tool_is_taken_over(world: Any) -> None:
    """It serves $LATEST, has triggers to it and no reserve."""

    def by_hand(cloud: Any, package: Any) -> None:
        config = Config(description="", memory=128, timeout=3, role="r", public=True, variables={"A": "b"})
        cloud.create(Kind("Event", "Python3.10", "index.main_handler"), config, package)
        name = next(iter(world.inputs["events"]))["cos"]["parameters"]["bucket"]
        cloud.create_trigger(
            Trigger(kind="cos", name=name, detail="cos:ObjectCreated:Put", prefix="in/", qualifier="$LATEST")
        )

    with_cloud(world, by_hand)
    assert world.deploy() == DONE
    assert "to $LATEST" in world.said
    world.upload("in/a")
    assert world.served() == [("a", "1")]
    world.deploy()
    assert world.writes == []


def test_limits_are_set_as_asked_for(world: Any) -> None:
    world.options = Options(call_seconds=0.2, retries=1, max_age=3600)
    world.deploy()
    state = world.state()
    assert (state["reserved"], state["policy"].retries, state["policy"].max_age) == (18 * 128, 1, 3600)
    world.deploy()
    assert world.writes == []


def test_a_dead_letter_queue_and_a_log_topic_are_set(world: Any) -> None:
    world.write(
        deadLetter={"type": "QUEUE", "name": "lost"}, cls={"logsetId": "set", "topicId": "topic"}, initTimeout=30
    )
    world.deploy()
    assert world.state()["function"][8]["DeadLetterConfig"] == {"Type": "QUEUE", "Name": "lost", "FilterType": ""}
    assert world.state()["function"][8]["ClsTopicId"] == "topic"
    world.deploy()
    assert world.writes == []


def test_removal_takes_the_function_and_leaves_the_bucket(world: Any) -> None:
    world.deploy()
    world.upload("in/a")
    assert world.remove(yes=False) == FINDINGS
    assert "in/" in world.said
    assert world.writes == []
    assert world.remove() == DONE
    assert world.writes == ["DeleteTrigger", "DeleteTrigger", "DeleteFunction"]
    assert world.scf.functions == {}
    world.upload("in/b")
    assert [item.key for item in world.app.store.scan(BUCKET)] == ["in/a", "in/b"]
    assert world.remove() == DONE
    assert world.writes == []
    assert world.deploy() == DONE


def test_what_is_being_changed_by_somebody_else_is_waited_for(world: Any) -> None:
    world.deploy()
    world.scf.settling = 100
    deployed = world.scf.functions["derivo-dev"]
    deployed.update(deployed.function, deployed.latest.code, world.scf.phase("Updating"))
    assert world.deploy() == DONE
    assert sum(world.tide.slept) >= 100


def test_a_wait_that_takes_too_long_ends_and_a_rerun_goes_on(world: Any) -> None:
    world.scf.settling = 1000
    with pytest.raises(Stop, match="still Creating after 300 s"):
        world.deploy()
    world.clock.advance(1000)
    world.scf.settling = 1
    assert world.deploy() == DONE
    assert "CreateFunction" not in world.writes
    world.upload("in/a")
    assert world.served() == [("a", "1")]


@pytest.mark.parametrize(
    ("environment", "inputs", "said"),
    [
        ({"DERIVO_ROLE": None}, {}, r"not defined: DERIVO_ROLE.*\.env\.dev"),
        ({}, {"runtime": "Python3.7"}, "inputs.runtime"),
        ({}, {"layers": [{"name": "x"}]}, "inputs.layers: derivo deploy does not carry this out"),
        ({}, {"name": "${output:dev:app:fn.name}"}, "known to the platform's own tool alone"),
        ({}, {"region": "ap-shanghai"}, "does not lie in ap-shanghai"),
        ({}, {"events": [{"apigw": {}}]}, "triggers of the kinds cos and timer"),
        ({}, {"name": "1-bad"}, "no function name"),
        ({}, {"handler": "other.main"}, "there is no other.py"),
        ({"TENCENTCLOUD_SECRETID": None}, {}, "no credentials"),
        ({"TENCENTCLOUD_SECRETKEY": "wrong"}, {}, r"AuthFailure.*check TENCENTCLOUD_SECRETID"),
    ],
)
def test_what_is_refused_before_anything_is_deployed(
    world: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None], inputs: dict[str, Any], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    world.write(**inputs)
    with pytest.raises((Stop, ValueError), match=said):
        world.deploy()
    assert world.writes == []
    assert world.scf.functions == {}


def test_an_account_without_the_role_is_refused_before_anything_is_deployed(make: Callable[..., Any]) -> None:
    world = make(roles=("another-role",))
    with pytest.raises(Stop, match=r"no role derivo-role.*derivo policy --json"):
        world.deploy()
    assert world.writes == []
    world.write(role="another-role")
    assert world.deploy() == DONE


def test_packages_that_do_not_fit_are_refused(world: Any) -> None:
    (world.folder / "dist" / "function.zip").unlink()
    with pytest.raises(Stop, match="derivo package"):
        world.deploy()
    (world.folder / "dist" / "function.zip").write_bytes(b"no zip")
    with pytest.raises(Stop, match="no zip"):
        world.deploy()
    world.pack(big="x" * 8_000_000)
    with pytest.raises(Stop, match=r"too many for one signed request.*--code-bucket"):
        world.deploy()
    with pytest.raises(Stop, match="write NAME-APPID"):
        world.deploy(code_bucket="photos")
    with pytest.raises(Stop, match="NoSuchBucket"):
        world.deploy(code_bucket="nowhere-1250000000")
    assert world.scf.functions == {}
    assert world.deploy(code_bucket=BUCKET) == DONE
    assert list(world.app.store.scan(BUCKET)) == []
    world.upload("in/a")
    assert world.served() == [("a", "1")]
    world.pack(**{"sbom.cdx.json": '{"metadata": {"properties": [{"name": "derivo:python", "value": "3.9"}]}}'})
    with pytest.raises(Stop, match=r"built for Python 3.9.*derivo package --python 3.10"):
        world.deploy()


RULES = "prefix: {}/\nderivatives: [{{name: t, to: '/out/{{path}}', rule: imageMogr2/strip}}]\n"


def test_rule_sets_that_are_not_the_package_s_or_that_no_trigger_serves_are_refused(world: Any) -> None:
    (world.folder / "rules").mkdir()
    (world.folder / "rules" / "a.yml").write_text(RULES.format("in"))
    world.triggers("in/")
    world.pack(**{"rules/a.yml": RULES.format("other")})
    with pytest.raises(Stop, match="other rule sets than"):
        world.deploy()
    world.pack(**{"rules/a.yml": RULES.format("in")})
    world.triggers("elsewhere/")
    with pytest.raises(Stop, match="derivo triggers --write"):
        world.deploy()
    (world.folder / "rules" / "a.yml").write_text("prefix: in/\n")
    with pytest.raises(Stop, match=r"a\.yml:1:1: RS"):
        world.deploy()
    assert world.scf.functions == {}
    (world.folder / "rules" / "a.yml").write_text(RULES.format("in"))
    world.triggers("in/")
    assert world.deploy() == DONE


def test_stages_are_functions_of_their_own_and_read_their_own_variables(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DERIVO_ROLE")
    (world.folder / ".env").write_text("DERIVO_ROLE=common\n")
    (world.folder / ".env.prod").write_text("DERIVO_ROLE=of-prod\n")
    world.deploy()
    world.triggers("prod/")
    assert world.deploy(stage="prod") == DONE
    functions = {name: item.function.role for name, item in world.scf.functions.items()}
    assert functions == {"derivo-dev": "common", "derivo-prod": "of-prod"}
