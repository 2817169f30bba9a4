"""derivo policy, typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coslocal.cam.policy import read
from tests.derivo_cli.running import Derivo

RULES = "prefix: {prefix}\nderivatives: [{{name: t, to: '{to}', rule: imageMogr2/thumbnail/20x}}]\n"
FILE = "component: scf\nname: f\ninputs:\n  region: ${env:DERIVO_REGION}\n"
PLACE = "qcs::cos:ap-guangzhou:uid/1250000000:photos-1250000000/"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(RULES.format(prefix="in/", to="/out/{path}"), "utf-8")
    return tmp_path


HERE = ("--bucket", "photos-1250000000", "--region", "ap-guangzhou")


def test_json_is_what_cam_takes(derivo: Derivo, folder: Path) -> None:
    done = derivo("policy", *HERE, "--json")
    assert done.code == 0
    assert read(done.out).allows("name/cos:PutObject", f"{PLACE}out/in/a.jpg")
    first = json.loads(done.out)["statement"][0]
    assert first == {
        "effect": "allow",
        "action": ["name/cos:GetObject", "name/cos:HeadObject"],
        "resource": [f"{PLACE}in/*"],
    }
    assert "not documented" in done.err


def test_the_table_says_what_for(derivo: Derivo, folder: Path) -> None:
    done = derivo("policy", *HERE)
    assert done.code == 0
    for text in ("deny", "HeadObject", "looking at sources", "a loop stays"):
        assert text in done.out


def test_options_change_what_is_granted(derivo: Derivo, folder: Path) -> None:
    plain, posting = (read(derivo("policy", *HERE, "--json", *more).out) for more in ((), ("--post-on-sources",)))
    assert [p.allows("name/cos:PostObject", f"{PLACE}in/a") for p in (plain, posting)] == [False, True]
    operator = read(derivo("policy", *HERE, "--json", "--for", "apply").out)
    assert operator.allows("name/cos:GetBucket", PLACE)


def test_serverless_yml_tells_bucket_and_region(derivo: Derivo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "serverless.yml").write_text(FILE, "utf-8")
    (folder / ".env").write_text("DERIVO_REGION=ap-guangzhou\n# c\nexport DERIVO_BUCKET='photos-1250000000'\n", "utf-8")
    assert f"{PLACE}in/*" in derivo("policy", "--json").out
    monkeypatch.setenv("DERIVO_BUCKET", "other-1250000000")
    assert ":other-1250000000/in/*" in derivo("policy", "--json").out


@pytest.mark.parametrize(
    ("env", "options", "code", "said"),
    [
        ("", (), 2, "the region ${env:DERIVO_REGION} has no value"),
        ("DERIVO_REGION=ap-guangzhou\n", (), 2, "the bucket ${env:DERIVO_BUCKET}"),
        ("", ("--serverless", "no.yml"), 2, "no.yml"),
        ("", ("--rules", "no"), 2, "there is no no"),
    ],
)
def test_what_is_not_known_is_refused(
    derivo: Derivo, folder: Path, env: str, options: tuple[str, ...], code: int, said: str
) -> None:
    (folder / ".env").write_text(env, "utf-8")
    done = derivo("policy", *options)
    assert (done.code, said in done.err) == (code, True), done


def test_rules_that_fire_their_own_trigger_have_no_policy(derivo: Derivo, folder: Path) -> None:
    text = RULES.format(prefix="in/", to="/in/out/{path}") + 'exclude: ["in/out/**"]\n'
    (folder / "rules" / "r.yml").write_text(text, "utf-8")
    done = derivo("policy", *HERE)
    assert (done.code, "would fire it" in done.err, "mend" in done.err) == (1, True, True)
