"""A role's keys are held to its policy, on every operation and for what a request names besides its URL."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
import requests
from qcloud_cos import CosServiceError

from coslocal.cam import actions
from coslocal.cam.policy import understood
from coslocal.dialects import BY_NAME, Dialects
from coslocal.operations.post_policy import sign_policy
from coslocal.pytest_plugin import BUCKET, REGION, Cos
from coslocal.routes import ROUTES
from tests.derivo_cli.shell import PNG

ROOT = f"qcs::cos:{REGION}:uid/1250000000:{BUCKET}/"


def client(cos: Cos, *statements: tuple[str, str | list[str], str]) -> Any:
    """The SDK under a role with these statements: effect, actions without their service, and a prefix."""
    made = [
        {
            "effect": effect,
            "action": [f"name/cos:{name}" for name in ([names] if isinstance(names, str) else names)],
            "resource": ROOT + prefix,
        }
        for effect, names, prefix in statements
    ]
    keys = cos.app.assume(understood({"version": "2.0", "statement": made}))
    return cos.client(SecretId=keys.secret_id, SecretKey=keys.secret_key, Token=keys.token)


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(CosServiceError) as error:
        call(Bucket=BUCKET, **arguments)
    assert error.value.get_status_code() == 403
    code: str = error.value.get_error_code()
    return code


def pic(*keys: str, bucket: str | None = None) -> str:
    to = {"bucket": bucket} if bucket else {}
    return json.dumps(
        {"is_pic_info": 1, "rules": [{**to, "fileid": f"/{k}", "rule": "imageMogr2/format/jpg"} for k in keys]}
    )


def test_every_operation_has_its_actions() -> None:
    unknown = {"image_process", "post_object", "options_object"}
    for route in ROUTES:
        found = actions.of(route.operation, Dialects())
        assert found or route.operation in unknown
        assert all(action.startswith(("name/cos:", "ci:")) for action in found)
    assert actions.of("put_bucket_acl", Dialects()) == ("name/cos:PutBucketACL",)
    assert actions.of("list_objects", Dialects()) == ("name/cos:GetBucket",)


def test_only_what_is_allowed_is_done(cos: Cos) -> None:
    cos.put("in/a.txt", b"a")
    role = client(cos, ("allow", ["GetObject", "HeadObject"], "in/*"), ("deny", "GetObject", "in/secret*"))
    assert role.get_object(Bucket=BUCKET, Key="in/a.txt")["Body"].get_raw_stream().read() == b"a"
    role.head_object(Bucket=BUCKET, Key="in/a.txt")
    assert refused(role.get_object, Key="in/secret.txt") == "AccessDenied"
    assert refused(role.get_object, Key="out/a.txt") == "AccessDenied"
    assert refused(role.put_object, Key="in/a.txt", Body=b"b") == "AccessDenied"
    assert refused(role.delete_object, Key="in/a.txt") == "AccessDenied"
    assert refused(role.list_objects) == "AccessDenied"
    assert cos.journal.entries()[-1].error == "AccessDenied"
    assert cos.get("in/a.txt") == b"a"
    cos.client().delete_object(Bucket=BUCKET, Key="in/a.txt")


def test_what_a_bucket_lets_everyone_do_a_role_may_too_unless_it_is_denied(cos: Cos) -> None:
    cos.client().put_bucket_acl(Bucket=BUCKET, ACL="public-read")
    cos.put("a.txt", b"a")
    client(cos, ("allow", "GetObject", "b*")).get_object(Bucket=BUCKET, Key="a.txt")
    assert refused(client(cos, ("deny", "GetObject", "*")).get_object, Key="a.txt") == "AccessDenied"


def test_a_bucket_is_a_resource_of_its_own(cos: Cos) -> None:
    client(cos, ("allow", "GetBucket", "")).list_objects(Bucket=BUCKET)
    assert refused(client(cos, ("allow", "GetBucket", "in/*")).list_objects) == "AccessDenied"


def test_a_copy_reads_its_source(cos: Cos) -> None:
    cos.put("in/a.txt", b"a")
    source = {"Bucket": BUCKET, "Key": "in/a.txt", "Region": REGION}
    write = ("allow", "PutObject", "out/*")
    assert refused(client(cos, write).copy_object, Key="out/a.txt", CopySource=source) == "AccessDenied"
    client(cos, write, ("allow", "GetObject", "in/*")).copy_object(Bucket=BUCKET, Key="out/a.txt", CopySource=source)
    assert cos.get("out/a.txt") == b"a"


def test_many_are_deleted_one_by_one(cos: Cos) -> None:
    cos.put("in/a", b"a")
    cos.put("out/a", b"a")
    listed = {"Object": [{"Key": "in/a"}, {"Key": "out/a"}]}
    assert refused(client(cos, ("allow", "DeleteObject", "*")).delete_objects, Delete=listed) == "AccessDenied"
    role = client(cos, ("allow", "DeleteMultipleObjects", ""), ("allow", "DeleteObject", "out/*"))
    told = role.delete_objects(Bucket=BUCKET, Delete=listed)
    assert [(e["Key"], e["Code"]) for e in told["Error"]] == [("in/a", "AccessDenied")]
    assert cos.keys() == ["in/a"]


@pytest.mark.parametrize("signed_by", ["policy", "nobody"])
def test_a_form_is_judged_by_its_key(cos: Cos, signed_by: str) -> None:
    statement = {"effect": "allow", "action": "name/cos:PostObject", "resource": f"{ROOT}in/*"}
    keys = cos.app.assume(understood({"version": "2.0", "statement": [statement]}))
    now = int(time.time())
    times = f"{now - 60};{now + 600}"
    policy = json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": [["starts-with", "$key", ""],
        {"q-sign-algorithm": "sha1"}, {"q-ak": keys.secret_id}, {"q-sign-time": times}]})  # fmt: skip
    fields = {
        "policy": base64.b64encode(policy.encode()).decode(), "q-sign-algorithm": "sha1", "q-ak": keys.secret_id,
        "q-key-time": times, "q-signature": sign_policy(policy, secret=keys.secret_key, key_time=times),
    }  # fmt: skip
    for key, status in (("in/a", 204), ("out/a", 403)):
        sent = {"key": key, **(fields if signed_by == "policy" else {})}
        answer = requests.post(
            f"http://{BUCKET}.cos.{REGION}.myqcloud.com/", data=sent, files={"file": b"x"}, timeout=5
        )
        assert answer.status_code == (status if signed_by == "policy" else 403), answer.text


READ = ("allow", "GetObject", "in/*")
WRITE = ("allow", "PutObject", "out/*")
LISTED = ("allow", [name.removeprefix("name/cos:") for name in (actions.POST, *actions.PARTS)], "out/*")
POST = ("allow", "PostObject", "in/*")
ENOUGH = {
    "get-put": [READ, WRITE],
    "put": [WRITE],
    "listed": [READ, WRITE, LISTED],
    "post-source": [READ, WRITE, POST],
}


@pytest.mark.parametrize("rights", BY_NAME["image-process-rights"].choices)
def test_processing_needs_what_the_dialect_says(cos: Cos, rights: str) -> None:
    cos.app.dialects = Dialects({"image-process-rights": rights})
    cos.put("in/a.png", PNG)
    enough = ENOUGH[rights]

    def process(role: Any, *keys: str) -> Any:
        return role.ci_image_process(Bucket=BUCKET, Key="in/a.png", PicOperations=pic(*keys))

    process(client(cos, *enough), "out/a.jpg")
    assert cos.keys() == ["in/a.png", "out/a.jpg"]
    for left_out in enough:
        fewer = [statement for statement in enough if statement is not left_out]
        with pytest.raises(CosServiceError, match="AccessDenied"):
            process(client(cos, *fewer), "out/b.jpg")
    with pytest.raises(CosServiceError, match="AccessDenied"):
        process(client(cos, *enough), "out/b.jpg", "in/b.jpg")
    assert cos.keys() == ["in/a.png", "out/a.jpg"]


def test_processing_on_upload_writes_in_the_name_of_the_uploader(cos: Cos) -> None:
    upload = ("allow", "PutObject", "in/*")
    role = client(cos, upload)
    with pytest.raises(CosServiceError, match="AccessDenied"):
        role.ci_put_object(Bucket=BUCKET, Key="in/a.png", Body=PNG, PicOperations=pic("out/a.jpg"))
    assert cos.keys() == ["in/a.png"]  # as with every other failure of processing (dialect failed-put)
    client(cos, upload, WRITE).ci_put_object(Bucket=BUCKET, Key="in/a.png", Body=PNG, PicOperations=pic("out/a.jpg"))
    assert cos.keys() == ["in/a.png", "out/a.jpg"]


def test_a_style_by_separator_reads_the_object_itself(cos: Cos) -> None:
    cos.put("in/a.png", PNG)
    cos.client().ci_put_image_style(Bucket=BUCKET, Request={"StyleName": "s", "StyleBody": "imageMogr2/format/jpg"})
    assert refused(client(cos, ("allow", "GetObject", "in/a.png!*")).get_object, Key="in/a.png!s") == "AccessDenied"
    client(cos, ("allow", "GetObject", "in/*")).get_object(Bucket=BUCKET, Key="in/a.png!s")


def test_ci_resources_are_their_own(cos: Cos) -> None:
    keys = cos.app.assume(
        understood(
            {
                "version": "2.0",
                "statement": {
                    "effect": "allow",
                    "action": "ci:*",
                    "resource": f"qcs::ci::uid/1250000000:bucket/{BUCKET}/*",
                },
            }
        )
    )
    role = cos.client(SecretId=keys.secret_id, SecretKey=keys.secret_key)
    role.ci_put_image_style(Bucket=BUCKET, Request={"StyleName": "s", "StyleBody": "imageMogr2/format/jpg"})
    assert refused(role.get_object, Key="a") == "AccessDenied"
