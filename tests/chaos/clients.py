"""What clients do with the bucket, step by step: uploads of several kinds, removals, copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from coslocal.pytest_plugin import new_client
from derivo.clock import Clock
from derivo.cos import Cos, CosFailure
from derivo.outcomes import FAILED
from derivo.upload import put_image
from tests.chaos import worlds
from tests.chaos.mischief import Killed
from tests.chaos.runs import Run
from tests.chaos.schedule import Step


class Clients:
    """`overtaken` are the keys of which an uploader's derivatives may have been written after those of a later source,
    where nobody makes that good."""

    def __init__(
        self, made: Run, folder: Path, clock: Clock, connect: Callable[[], Cos], note: Callable[[str], None]
    ) -> None:
        self.overtaken: set[str] = set()
        self._made = made
        self._folder = folder
        self._clock = clock
        self._connect = connect
        self._note = note

    def do(self, step: Step) -> None:
        try:
            getattr(self, f"_{step.kind}")(new_client(retry=0), step)
        except Killed:
            self._note(f"{step.name}: the uploader crashed")
            self._made.counts["uploaders killed"] += 1
            self._broke_off(step)
        except CosFailure as failure:
            self._note(f"{step.name}: the uploader was told {failure.code}")
        except Exception as error:
            self._made.bugs.append(f"{step.name}: an undocumented exception: {type(error).__name__}: {error}")

    def _put(self, sdk: Any, step: Step) -> None:
        sdk.put_object(Bucket=worlds.BUCKET, Key="/" + step.key, Body=worlds.picture(step.picture))

    def _image(self, _: Any, step: Step) -> None:
        path = self._folder / step.picture
        path.write_bytes(worlds.picture(step.picture))
        done = put_image(
            path,
            bucket=worlds.BUCKET,
            key=step.key,
            region=worlds.REGION,
            client=self._connect(),
            rule_sets=worlds.index(self._made.schedule.shape),
            clock=self._clock,
        )
        if any(outcome.status == FAILED for outcome in done.work.outcomes):
            self._broke_off(step)

    def _broke_off(self, step: Step) -> None:
        """Nobody tries an uploader's work again. The function makes it good when the upload's event comes, but not what
        an uploader wrote later, when its source had been overwritten."""
        standing = self._made.cloud.store.get(worlds.BUCKET, step.key)
        if standing is None or worlds.picture_in(standing) != worlds.picture(step.picture):
            self._note(f"{step.name}: the uploader broke off when its source had been overwritten")
            self._made.counts["uploaders that broke off overtaken"] += 1
            self.overtaken.add(step.key)

    def _parts(self, sdk: Any, step: Step) -> None:
        where = {"Bucket": worlds.BUCKET, "Key": "/" + step.key}
        upload = sdk.create_multipart_upload(**where)["UploadId"]
        etag = sdk.upload_part(**where, UploadId=upload, PartNumber=1, Body=worlds.picture(step.picture))["ETag"]
        parts = {"Part": [{"PartNumber": 1, "ETag": etag}]}
        sdk.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        self._note_version(step.key)

    def _append(self, sdk: Any, step: Step) -> None:
        """An object in one piece, where none is in the way. Whether it raises an event is a dialect: append-events."""
        if self._made.cloud.store.get(worlds.BUCKET, step.key) is not None:
            sdk.delete_object(Bucket=worlds.BUCKET, Key="/" + step.key)
        sdk.append_object(Bucket=worlds.BUCKET, Key="/" + step.key, Position=0, Data=worlds.picture(step.picture))
        self._note_version(step.key)
        if self._made.cloud.dialects["append-events"] == "no":
            self._made.lost.add(step.key)

    def _note_version(self, key: str) -> None:
        """Of what is not saved one by one like all others."""
        made = self._made.cloud.saved(key)
        if made is not None:
            self._made.versions.setdefault((made.bucket, made.key), []).append(made)

    def _delete(self, sdk: Any, step: Step) -> None:
        sdk.delete_object(Bucket=worlds.BUCKET, Key="/" + step.key)

    def _copy(self, sdk: Any, step: Step) -> None:
        if self._made.cloud.store.get(worlds.BUCKET, step.other) is not None:
            source = {"Bucket": worlds.BUCKET, "Key": step.other, "Region": worlds.REGION}
            sdk.copy_object(Bucket=worlds.BUCKET, Key="/" + step.key, CopySource=source)
