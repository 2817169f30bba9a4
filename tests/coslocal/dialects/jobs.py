"""Jobs."""

from __future__ import annotations

from coslocal.jobs.sources import output_key
from coslocal.jobs.types import BatchJob, Output, Rule, Wish

from .probing import THUMB, World, probe


@probe("job-result", sdk="UploadResult", document="ProcessResult")
def _(world: World) -> object:
    result = world.run(world.submit())["Operation"]["PicProcessResult"]
    if "UploadResult" not in result:
        assert set(result) == {"ObjectName", "OriginalInfo", "ProcessResult"}
        assert result["ObjectName"] == "out.webp"
        assert set(result["OriginalInfo"]) == {"Etag", "ImageInfo"}
        assert result["ProcessResult"]["Width"] == "50"
    return next(name for name in ("UploadResult", "ProcessResult") if name in result)


@probe("job-queue", optional="", required="InvalidArgument")
def _(world: World) -> object:
    world.client.ci_open_pic_bucket(Bucket=world.cos.bucket)
    (queue,) = world.client.ci_get_media_pic_queue(Bucket=world.cos.bucket)["QueueList"]
    assert world.refusal(lambda: world.submit(QueueId=queue["QueueId"])) == ""
    return world.refusal(world.submit)


@probe("job-code", name=("Success", "ResourceNotFound"), number=("0", "1103"))
def _(world: World) -> object:
    return world.run(world.submit())["Code"], world.run(world.submit(Input={"Object": "none"}))["Code"]


@probe("job-service", expect={"automatic": "", "must-open": "MediaBucketUnBinded"})
def _(world: World) -> object:
    return world.refusal(world.submit)


@probe("batch-inline-rule", accept="", refuse="InvalidArgument")
def _(world: World) -> object:
    output = {"Region": world.cos.region, "Bucket": world.cos.bucket, "Object": "${InputName}"}
    parameters = {"PicProcess": {"ProcessRule": THUMB["rule"]}}
    operation = {"Tag": "PicProcess", "JobParam": parameters, "Output": output}
    body = {"Name": "n", "Type": "Job", "Input": {"Prefix": "in/"}, "Operation": operation}
    create = world.client.ci_create_inventory_trigger_jobs
    return world.refusal(lambda: create(Bucket=world.cos.bucket, JobBody=body))


@probe("batch-input-path", slash="in/x/a", bare="in/xa")
def _(world: World) -> object:
    output = Output(region="r", bucket="b-1", object="${InputPath}${InputName}")
    wish = Wish(rule=Rule(text=THUMB["rule"]), output=output)
    job = BatchJob(id="b", bucket="b-1", region="r", wish=wish, created=0.0, name="n", way="Prefix", where="")
    return output_key(job, "in/x/a.jpg", world.app.dialects["batch-input-path"])
