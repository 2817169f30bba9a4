"""The CAM action that each operation of the routing table takes, and the resource it is taken on (SCF 9).

Names are those of the vendor's list; one that is not in the reference is made as the list makes its names.
"""

from __future__ import annotations

from collections.abc import Mapping

from coslocal.dialects import Dialects

_COS, _CI = "name/cos:", "ci:"

GET, PUT, POST, DELETE = (f"{_COS}{verb}Object" for verb in ("Get", "Put", "Post", "Delete"))
PARTS = tuple(
    f"{_COS}{name}"
    for name in (
        "InitiateMultipartUpload", "ListMultipartUploads", "ListParts", "UploadPart", "CompleteMultipartUpload",
        "AbortMultipartUpload",
    )
)  # fmt: skip

# The dialect image-process-rights: what processing needs on the source of a stored object, and on each result.
_ON_SOURCE = {"get-put": (GET,), "put": (), "listed": (GET,), "post-source": (GET, POST)}
_ON_RESULT = {"get-put": (PUT,), "put": (PUT,), "listed": (PUT, POST, *PARTS), "post-source": (PUT,)}

# Operations that are judged on their way: a form says its key, and a preflight asks for nothing.
_ON_THE_WAY = frozenset(("image_process", "post_object", "options_object"))

_IRREGULAR: Mapping[str, str] = {
    "list_buckets": "GetService",
    "list_objects": "GetBucket",
    "list_object_versions": "GetBucketObjectVersions",
    "delete_objects": "DeleteMultipleObjects",
    "post_bucket_inventory": "PutBucketInventory",
    "get_image": "GetObject",
    "copy_object": "PutObject",
    "copy_part": "UploadPart",
    "restore_object": "PostObjectRestore",
}
_OF_CI: Mapping[str, str] = {
    "create_pic_jobs": "CreateMediaJobs",
    "list_pic_jobs": "DescribePicProcessJobs",
    "describe_pic_jobs": "DescribePicProcessJob",
    "cancel_pic_job": "CancelPicProcessJob",
    "create_jobs": "CreateMediaJobs",
    "list_jobs": "DescribePicProcessJobs",
    "describe_jobs": "DescribePicProcessJob",
    "cancel_job": "CancelPicProcessJob",
    "create_inventory_trigger_job": "CreateInventoryTriggerJob",
    "list_inventory_trigger_jobs": "DescribeInventoryTriggerJobs",
    "describe_inventory_trigger_job": "DescribeInventoryTriggerJob",
    "cancel_inventory_trigger_job": "CancelInventoryTriggerJob",
    "open_pic_bucket": "CreatePicProcessBucket",
    "list_pic_buckets": "DescribePicProcessBucket",
    "close_pic_bucket": "DeletePicProcessBucket",
    "list_pic_queues": "DescribePicProcessQueues",
    "update_pic_queue": "UpdatePicProcessQueue",
    "create_template": "CreateMediaTemplate",
    "list_templates": "DescribeMediaTemplates",
    "update_template": "UpdateMediaTemplate",
    "delete_template": "DeleteMediaTemplate",
    "get_style": "GetStyle",
    "put_style": "PutStyle",
    "delete_style": "DeleteStyle",
}
_CAPITALS = {"acl": "ACL", "cors": "CORS"}


def of(operation: str, dialects: Dialects) -> tuple[str, ...]:
    """The actions that an operation takes on what its URL names; more may follow on what it names besides."""
    if operation == "image_process":
        return _ON_SOURCE[dialects["image-process-rights"]]
    if operation in _ON_THE_WAY:
        return ()
    if operation in _OF_CI:
        return (_CI + _OF_CI[operation],)
    words = operation.split("_")
    return (_COS + _IRREGULAR.get(operation, "".join(_CAPITALS.get(word, word.capitalize()) for word in words)),)


def on_result(dialects: Dialects) -> tuple[str, ...]:
    """The actions that CI takes, for whoever asked it, on each result (CI 1.3)."""
    return _ON_RESULT[dialects["image-process-rights"]]


def resource(action: str, region: str, bucket: str, key: str) -> str:
    """The six segments of what an action is taken on; `bucket` "" is the whole account, `key` "" the bucket itself."""
    appid = bucket.rpartition("-")[2]
    if action.startswith(_CI):
        return f"qcs::ci:{region}:uid/{appid}:bucket/{bucket}/*"
    return f"qcs::cos:{region}:uid/{appid}:{f'{bucket}/{key}' if bucket else '*'}"
