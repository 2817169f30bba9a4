"""POST /pic_jobs and what belongs to it: results, states, lists, the queue, templates, refusals."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from qcloud_cos import CosServiceError

from coslocal.http import Headers, Request
from coslocal.storage.types import Bucket

from .conftest import THUMB, Desk, picture


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(CosServiceError) as caught:
        call()
    return caught.value.get_error_code(), caught.value.get_status_code()


def test_a_job_is_submitted_run_and_described(either: Desk) -> None:
    either.put("in/a.jpg")
    made = either.submit(UserData="my data", JobLevel="1")
    assert (made["State"], made["Code"], made["StartTime"], made["EndTime"]) == ("Submitted", "Success", "-", "-")
    assert either.stored() == ["in/a.jpg"]
    assert either.jobs.run_pending() == 1
    job = either.describe(made)
    assert (job["State"], job["Code"], job["Progress"]) == ("Success", "Success", "100")
    assert job["Input"] == {"BucketId": either.bucket, "Object": "in/a.jpg", "Region": "ap-guangzhou"}
    operation = job["Operation"]
    assert operation["PicProcess"] == {"IsPicInfo": "true", "ProcessRule": THUMB}
    assert (operation["UserData"], operation["JobLevel"], operation["Output"]) == ("my data", "1", either.output)
    answer = operation["PicProcessResult"]["UploadResult"]
    assert answer["OriginalInfo"]["ImageInfo"]["Width"] == "100"
    stored = either.client.head_object(Bucket=either.bucket, Key="out/a.webp")
    result = answer["ProcessResults"]["Object"]
    assert (result["Key"], result["Format"], result["ETag"]) == ("out/a.webp", "webp", stored["ETag"])
    assert (result["Width"], result["Height"], result["Size"]) == ("20", "12", stored["Content-Length"])


def test_jobs_run_by_themselves(either: Desk) -> None:
    either.jobs.release()
    either.put("in/a.jpg")
    made = either.submit()
    assert either.jobs.wait_idle(30)
    assert either.describe(made)["State"] == "Success"


def test_a_result_raises_an_event_and_is_told_from_an_upload(cos: Any, desk: Desk) -> None:
    cos.put("in/a.jpg", picture())
    desk.submit()
    desk.jobs.run_pending()
    assert [(event.key, event.made_by_ci) for event in cos.events] == [("out/a.webp", True)]


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("in/none.jpg", None, "ResourceNotFound"),
        ("in/a.jpg", b"no image", "InvalidContent"),
        ("in/a.jpg", b"", "InvalidContent"),
    ],
)
def test_a_job_that_cannot_be_done_fails_with_its_code(desk: Desk, key: str, data: bytes | None, code: str) -> None:
    desk.put("in/a.jpg", data)
    made = desk.submit(key)
    desk.jobs.run_pending()
    job = desk.describe(made)
    assert (job["State"], job["Code"]) == ("Failed", code)
    assert job["Message"]
    assert "PicProcessResult" not in job["Operation"]


def test_a_rule_that_fails_on_the_picture_fails_the_job_under_every_dialect(desk: Desk) -> None:
    desk.put("in/a.jpg")
    for choice in ("refuse", "omit", "refuse-late"):
        desk.choose(partial_failure=choice)
        made = desk.submit(PicProcess={"ProcessRule": "imageMogr2/rradius/500"})
        desk.jobs.run_pending()
        assert (desk.describe(made)["State"], desk.describe(made)["Code"]) == ("Failed", "InvalidArgument")
    assert desk.stored() == ["in/a.jpg"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"PicProcess": {"ProcessRule": "imageMogr2/oops/1"}}, ("InvalidArgument", 400)),
        ({"PicProcess": {"ProcessRule": ""}}, ("InvalidArgument", 400)),
        ({"PicProcess": {"IsPicInfo": "perhaps", "ProcessRule": THUMB}}, ("InvalidArgument", 400)),
        ({"Output": {"Region": "ap-guangzhou", "Bucket": "b-1250000000"}}, ("InvalidArgument", 400)),
        ({"UserData": "ü"}, ("InvalidArgument", 400)),
        ({"UserData": "x" * 1025}, ("InvalidArgument", 400)),
        ({"JobLevel": "3"}, ("InvalidArgument", 400)),
        ({"CallBackFormat": "YAML", "CallBack": "no"}, ("InvalidArgument", 400)),
        ({"CallBackType": "TDMQ", "CallBack": "x"}, ("NotImplemented", 501)),
        ({"TemplateId": "t0"}, ("TemplateNotFound", 404)),
        ({"QueueId": "p0"}, ("QueueNotFound", 404)),
        (
            {"Output": {"Region": "ap-guangzhou", "Bucket": "none-1250000000", "Object": "x"}},
            ("WriteTargetBucketDenied", 403),
        ),
    ],
)
def test_what_cannot_be_a_job_is_refused_at_once(desk: Desk, more: dict[str, Any], code: tuple[str, int]) -> None:
    desk.put("in/a.jpg")
    assert refused(lambda: desk.submit(**more)) == code
    assert desk.pics() == []


def test_an_output_in_another_region_must_be_named_so(desk: Desk) -> None:
    desk.put("in/a.jpg")
    desk.app.store.create_bucket(Bucket(name="far-1250000000", region="ap-beijing", created=1.0))
    assert refused(lambda: desk.submit(Output={**desk.output, "Bucket": "far-1250000000"})) == ("InvalidArgument", 400)
    made = desk.submit(Output={"Region": "ap-beijing", "Bucket": "far-1250000000", "Object": "a.webp"})
    desk.jobs.run_pending()
    assert desk.describe(made)["State"] == "Success"
    assert desk.app.store.get("far-1250000000", "a.webp") is not None


@pytest.mark.parametrize("body", [b"", b"<Request>", b"<Other/>", b"<Request><Tag>PicProcess</Tag></Request>"])
def test_malformed_documents(desk: Desk, body: bytes) -> None:
    code, status = refused(
        lambda: desk.client.send_request(
            "POST", f"http://{desk.bucket}.ci.ap-guangzhou.myqcloud.com/pic_jobs", bucket=desk.bucket, data=body,
            headers={}, auth=_auth(desk, "/pic_jobs"), ci_request=True,
        )
    )  # fmt: skip
    assert status == 400 and code in ("MalformedXML", "InvalidArgument")


def _auth(desk: Desk, path: str) -> Any:
    from qcloud_cos.cos_auth import CosS3Auth

    return CosS3Auth(desk.client._conf, path, params={})


def test_other_tags_are_named_as_not_offered(desk: Desk) -> None:
    body = {"Tag": "Transcode", "Input": {"Object": "a.mp4"}, "Operation": {"Output": desk.output}}
    assert refused(lambda: desk.client.ci_create_media_jobs(Bucket=desk.bucket, Jobs=body)) == ("NotImplemented", 501)


def test_nobody_may_ask_unsigned(desk: Desk) -> None:
    host = f"{desk.bucket}.ci.ap-guangzhou.myqcloud.com"
    for method, path in (("POST", "/pic_jobs"), ("GET", "/pic_jobs"), ("POST", "/template"), ("GET", "/picbucket")):
        answer = desk.app.handle(Request(method, path, Headers([("Host", host)]), io.BytesIO(), 0))
        assert answer.status == 403


def test_temporary_keys_come_in_ci_s_own_header(cos: Any, desk: Desk) -> None:
    client = cos.client(Token="token")
    assert client.ci_open_pic_bucket(Bucket=desk.bucket)[1]["PicBucket"]["BucketId"] == desk.bucket


def test_jobs_that_do_not_exist_are_named(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = desk.submit()
    both = f"{made['JobId']},p0"
    found = desk.client.ci_get_media_pic_jobs(Bucket=desk.bucket, JobIDs=both)
    assert [job["JobId"] for job in found["JobsDetail"]] == [made["JobId"]]
    assert found["NonExistJobIds"] == "p0"
    assert desk.client.ci_get_media_jobs(Bucket=desk.bucket, JobIDs="p0") == {"NonExistJobIds": "p0"}


def test_several_operations_make_several_jobs(desk: Desk) -> None:
    desk.put("in/a.jpg")
    operations = [
        {"PicProcess": {"ProcessRule": f"imageMogr2/thumbnail/{n}x"}, "Output": {**desk.output, "Object": f"{n}.jpg"}}
        for n in (10, 20, 30)
    ]
    body = {"Tag": "PicProcess", "Input": {"Object": "in/a.jpg"}, "Operation": operations}
    made = desk.client.ci_create_media_jobs(Bucket=desk.bucket, Jobs=body)["JobsDetail"]
    assert desk.jobs.run_pending() == 3
    ids = ",".join(job["JobId"] for job in made)
    found = desk.client.ci_get_media_jobs(Bucket=desk.bucket, JobIDs=ids)["JobsDetail"]
    assert [job["State"] for job in found] == ["Success"] * 3
    assert desk.stored() == ["10.jpg", "20.jpg", "30.jpg", "in/a.jpg"]
    body["Operation"] = operations * 3
    create = desk.client.ci_create_media_jobs
    assert refused(lambda: create(Bucket=desk.bucket, Jobs=body)) == ("InvalidArgument", 400)


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize("order", ["Asc", "Desc"])
def test_pages_of_any_size_are_the_whole_list(desk: Desk, size: int, order: str) -> None:
    desk.put("in/a.jpg")
    made = [desk.submit()["JobId"] for _ in range(5)]
    listed: list[str] = []
    token = ""
    while True:
        page = desk.client.ci_list_media_pic_jobs(
            Bucket=desk.bucket, Tag="PicProcess", Size=size, OrderByTime=order, NextToken=token
        )
        listed += [job["JobId"] for job in page["JobsDetail"]]
        token = page.get("NextToken", "")
        if not token:
            break
    assert listed == (made if order == "Asc" else made[::-1])


def test_lists_are_filtered(desk: Desk) -> None:
    desk.put("in/a.jpg")
    good, bad = desk.submit(), desk.submit("in/none.jpg")
    desk.jobs.run_pending()
    waiting = desk.submit()

    def listed(**filters: Any) -> list[str]:
        filters.setdefault("Tag", "PicProcess")
        found = desk.client.ci_list_media_pic_jobs(Bucket=desk.bucket, OrderByTime="Asc", **filters)
        return [job["JobId"] for job in found.get("JobsDetail", [])]

    everything = [good["JobId"], bad["JobId"], waiting["JobId"]]
    assert listed() == everything
    assert listed(States="Success") == everything[:1]
    assert listed(States="Failed,Submitted") == everything[1:]
    assert listed(QueueId=good["QueueId"]) == everything
    assert listed(QueueId="p0") == listed(Tag="Transcode") == []
    assert listed(StartCreationTime=good["CreationTime"]) == everything
    assert listed(EndCreationTime="2020-01-01T00:00:00+0800") == []
    for wrong in ({"States": "Done"}, {"Size": 0}, {"Size": 101}, {"StartCreationTime": "yesterday"}):
        assert refused(lambda wrong=wrong: listed(**wrong)) == ("InvalidArgument", 400)  # type: ignore[misc]


def test_a_cancelled_job_is_not_run(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = desk.submit()
    desk.client.ci_cancel_jobs(Bucket=desk.bucket, JobID=made["JobId"])
    desk.jobs.run_pending()
    assert desk.describe(made)["State"] == "Cancel"
    assert desk.stored() == ["in/a.jpg"]
    assert refused(lambda: desk.client.ci_cancel_jobs(Bucket=desk.bucket, JobID="p0")) == ("ResourceNotFound", 404)


def test_jobs_of_a_bucket_that_is_emptied_and_deleted_are_gone_with_it(desk: Desk) -> None:
    desk.put("in/a.jpg")
    desk.submit()
    desk.client.delete_object(Bucket=desk.bucket, Key="in/a.jpg")
    desk.client.delete_bucket(Bucket=desk.bucket)
    desk.jobs.run_pending()
    assert desk.app.store.buckets() == []


# -- the service and its queue


def test_the_first_use_opens_the_service(desk: Desk) -> None:
    client = desk.client
    assert client.ci_get_pic_bucket(Regions="All")["TotalCount"] == "0"
    desk.put("in/a.jpg")
    desk.submit()
    (opened,) = client.ci_get_pic_bucket(BucketNames=desk.bucket)["PicBucketList"]
    assert (opened["BucketId"], opened["Region"]) == (desk.bucket, "ap-guangzhou")
    assert client.ci_get_pic_bucket(Regions="ap-beijing")["TotalCount"] == "0"
    client.ci_close_pic_bucket(Bucket=desk.bucket)
    assert client.ci_get_pic_bucket()["TotalCount"] == "0"


def test_it_must_be_opened_by_dialect(desk: Desk) -> None:
    desk.choose(job_service="must-open")
    desk.put("in/a.jpg")
    assert refused(desk.submit) == ("MediaBucketUnBinded", 403)
    first = desk.client.ci_open_pic_bucket(Bucket=desk.bucket)[1]["PicBucket"]
    assert desk.client.ci_open_pic_bucket(Bucket=desk.bucket)[1]["PicBucket"] == first
    assert desk.submit()["State"] == "Submitted"


def test_a_paused_queue_keeps_its_jobs(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = desk.submit()
    client, bucket = desk.client, desk.bucket
    (queue,) = client.ci_get_media_pic_queue(Bucket=bucket)["QueueList"]
    paused = client.ci_update_media_pic_queue(
        Bucket=bucket, QueueId=queue["QueueId"], Request={"Name": "mine", "State": "Paused"}
    )
    assert (paused["Queue"][0]["Name"], paused["Queue"][0]["State"]) == ("mine", "Paused")
    assert desk.jobs.run_pending() == 0
    assert desk.describe(made)["State"] == "Submitted"
    assert "QueueList" not in client.ci_get_media_pic_queue(Bucket=bucket, State="Active")
    desk.jobs.release()
    assert desk.jobs.wait_idle(1)
    client.ci_update_media_pic_queue(Bucket=bucket, QueueId=queue["QueueId"], Request={"State": "Active"})
    assert desk.jobs.wait_idle(30)
    assert desk.describe(made)["State"] == "Success"


def test_queues_that_do_not_exist(desk: Desk) -> None:
    found = desk.client.ci_get_media_pic_queue(Bucket=desk.bucket, QueueIds="p0")
    assert (found["TotalCount"], found["NonExistPIDs"]) == ("0", "p0")
    update = desk.client.ci_update_media_pic_queue
    assert refused(lambda: update(Bucket=desk.bucket, QueueId="p0", Request={"State": "Active"})) == (
        "QueueNotFound",
        404,
    )
    desk.client.ci_open_pic_bucket(Bucket=desk.bucket)
    (queue,) = desk.client.ci_get_media_pic_queue(Bucket=desk.bucket)["QueueList"]
    wrong = {"State": "Asleep"}
    code = refused(lambda: update(Bucket=desk.bucket, QueueId=queue["QueueId"], Request=wrong))
    assert code == ("InvalidArgument", 400)


# -- templates


def template(desk: Desk, name: str, rule: str = THUMB) -> dict[str, Any]:
    document = {"Tag": "PicProcess", "Name": name, "PicProcess": {"IsPicInfo": "true", "ProcessRule": rule}}
    return dict(desk.client.ci_create_template(Bucket=desk.bucket, Template=document)["Template"])


def test_a_template_wins_over_a_rule(desk: Desk) -> None:
    desk.put("in/a.jpg")
    made = template(desk, "small")
    job = desk.submit(TemplateId=made["TemplateId"], PicProcess={"ProcessRule": "imageMogr2/thumbnail/50x"})
    desk.jobs.run_pending()
    operation = desk.describe(job)["Operation"]
    assert operation["TemplateId"] == made["TemplateId"]
    assert operation["PicProcessResult"]["UploadResult"]["ProcessResults"]["Object"]["Width"] == "20"


def test_templates_are_listed_changed_and_deleted(desk: Desk) -> None:
    client, bucket = desk.client, desk.bucket
    one, two = template(desk, "cards"), template(desk, "thumbs")
    assert (one["Tag"], one["Name"], one["State"], one["BucketId"]) == ("PicProcess", "cards", "Normal", bucket)

    def names(**filters: Any) -> list[str]:
        return [item["Name"] for item in client.ci_get_template(Bucket=bucket, **filters).get("TemplateList", [])]

    assert names() == ["cards", "thumbs"]
    assert names(Name="th") == ["thumbs"]
    assert names(Ids=f"{one['TemplateId']},t0") == ["cards"]
    assert names(PageSize=1, PageNumber=2) == ["thumbs"]
    assert names(Category="Official") == []
    changed = {"Tag": "PicProcess", "Name": "big", "PicProcess": {"ProcessRule": "imageMogr2/thumbnail/900x"}}
    client.ci_update_template(Bucket=bucket, TemplateId=one["TemplateId"], Template=changed)
    client.ci_delete_template(Bucket=bucket, TemplateId=two["TemplateId"])
    assert names() == ["big"]
    gone = ("TemplateNotFound", 404)
    assert refused(lambda: client.ci_delete_template(Bucket=bucket, TemplateId=two["TemplateId"])) == gone


@pytest.mark.parametrize(
    "change",
    [{"Name": ""}, {"Name": "x" * 65}, {"PicProcess": {"ProcessRule": "imageMogr2/oops/1"}}, {"PicProcess": {}}],
)
def test_bad_templates(desk: Desk, change: dict[str, Any]) -> None:
    document = {"Tag": "PicProcess", "Name": "n", "PicProcess": {"ProcessRule": THUMB}, **change}
    create = desk.client.ci_create_template
    assert refused(lambda: create(Bucket=desk.bucket, Template=document)) == ("InvalidArgument", 400)
