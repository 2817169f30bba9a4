"""Dialects: the settings of coslocal where the vendor's documents are silent or disagree.

Each has a name, its choices (the first is the default), and the dated reason. Derivo must be right under every one.
What is silent too and is no dialect stands in settled.py; docs/dialects.md is made of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    name: str
    choices: tuple[str, ...]
    reason: str

    @property
    def default(self) -> str:
        return self.choices[0]


EVENTS: tuple[Dialect, ...] = (
    Dialect(
        "event-key",
        ("raw", "percent-encoded", "plus-encoded"),
        "SCF 1.2: encoding of cosObject.key is undocumented (2022 capture: raw; 2017 samples decode `+` too)",
    ),
    Dialect(
        "event-region",
        ("full", "short-only"),
        "SCF 1.1: cosRegion and s3Region seen in 2022, absent in 2019-2020 captures",
    ),
    Dialect(
        "event-name",
        ("concrete", "family"),
        "SCF 1.1: captures carry the concrete name, a sample of 583/9707 prints cos:ObjectCreated:*",
    ),
    Dialect(
        "event-meta",
        ("observed", "documented"),
        "SCF 1.1: ETag and x-cos-storage-class were seen in meta (2022) and are in no document",
    ),
    Dialect(
        "event-meta-case",
        ("sent", "lower"),
        "SCF 1.1: the letter case of the names in meta is not promised",
    ),
    Dialect(
        "event-reqid",
        ("zero", "number"),
        "SCF 1.1: event.reqid is a number in samples of 2018, 0 in captures of 2022",
    ),
    Dialect(
        "result-events",
        ("yes", "no"),
        "CI 1.7: no page says whether objects written by Pic-Operations raise events",
    ),
    Dialect(
        "result-event-name",
        ("Put", "Post"),
        "SCF 1.7: under which name an object written by CI would be announced is unknown",
    ),
    Dialect(
        "append-events",
        ("no", "Append", "Put"),
        "SCF 1.4: cos:ObjectCreated:Append occurs in 2017-2018 only; whether appends fire anything today is unknown",
    ),
    Dialect(
        "trigger-case",
        ("literal", "ignored"),
        "SCF 1.5: that a trigger's suffix minds letter case is not stated",
    ),
    Dialect(
        "timer-zone",
        ("utc+8", "utc"),
        "SCF 6.2: 583/9708 (2024-12-02) gives Time in UTC and does not say in which zone the cron is read",
    ),
    Dialect(
        "trigger-desc",
        ("sent", "with-bucket"),
        "SCF 1.5: whether the API tells a COS trigger's description as it was sent, or with bucketUrl in it as some "
        "samples have it, is not stated",
    ),
)

REQUESTS: tuple[Dialect, ...] = (
    Dialect(
        "partial-failure",
        ("refuse", "omit", "refuse-late"),
        "CI 1.6: no document describes a per-rule error; refuse before anything is stored, leave the failed "
        "Object out, or refuse with what came before it stored",
    ),
    Dialect(
        "failed-put",
        ("keep-original", "drop-original"),
        "CI 1.6: whether the original is stored when processing on PUT fails is not stated; dropped means that "
        "the request did nothing: an older object of that key stays",
    ),
    Dialect(
        "fileid-encoding",
        ("plain", "urlencoded", "base64url"),
        "CI 1.4: pages disagree; all examples pass plain text",
    ),
    Dialect(
        "fileid-path",
        ("literal", "normalised"),
        "CI 1.4: `..`, `.` and `//` in a fileid are not documented",
    ),
    Dialect(
        "fileid-twice",
        ("last", "refuse"),
        "CI 1.4: two rules of one request with the same fileid are not documented",
    ),
    Dialect(
        "header-types",
        ("strict", "lenient"),
        'CI 1.2: wrong types in Pic-Operations, such as "is_pic_info":"1", are not documented',
    ),
    Dialect(
        "header-members",
        ("pass-over", "refuse"),
        "CI 1.2: members of Pic-Operations that no page names are not documented either way",
    ),
    Dialect(
        "image-process-rights",
        ("get-put", "put", "listed", "post-source"),
        "CI 1.3: GetObject on the source and PutObject on the results (2024-04), PutObject alone (2025-10); SCF 9: a "
        "list with PostObject and the parts of uploads on the results; whether the source needs PostObject is unknown",
    ),
    Dialect(
        "cross-region",
        ("allow", "refuse"),
        "CI 1.3: whether a rule's bucket may lie in another region is not documented; -60972 is a bad region",
    ),
    Dialect(
        "error-status",
        ("http-status", "ok-with-error"),
        "CI 9.2: no HTTP status is given for the -6xxxx codes; COS may answer <Error> under 200",
    ),
    Dialect(
        "error-code",
        ("name", "number"),
        "CI 9.2: how the -6xxxx numbers and the COS codes of CI 9.1 map is not documented",
    ),
    Dialect(
        "pic-info-zero",
        ("omit-image-info", "include-image-info", "omit-original-info"),
        "CI 1.5: the effect of is_pic_info 0 is not documented; the legacy answer had no original_info then",
    ),
    Dialect(
        "format-case",
        ("lower", "upper"),
        "CI 1.5: Format of a result is `png` in one example and `PNG` in others",
    ),
    Dialect(
        "orientation-unset",
        ("0", "1"),
        "CI 1.5: the page defines 1 as none, samples show 0 for files without EXIF",
    ),
    Dialect(
        "frame-count",
        ("yes", "no"),
        "CI 1.5: FrameCount stands in the pages of 2022-2023 (Z) and not in those of 2023-07 (I)",
    ),
    Dialect(
        "original-etag",
        ("own", "result"),
        "CI 1.5: in the documented ?image_process example OriginalInfo.ETag is the result's though the keys differ",
    ),
    Dialect(
        "result-etag",
        ("md5", "sha1"),
        "CI 1.5: ETags of results have 40 hexadecimal digits in the PUT sample, 32 in the callback's",
    ),
    Dialect(
        "result-meta",
        ("image-process", "never", "always"),
        "CI 1.7: that x-cos-meta-* of ?image_process go to the results is implied by a demo (2026-07); of a PUT "
        "it is unknown",
    ),
    Dialect(
        "result-storage-class",
        ("standard", "source"),
        "CI 1.7: the storage class of results is not documented",
    ),
    Dialect(
        "result-acl",
        ("default", "source"),
        "CI 1.7: whether results inherit the original's ACL is not documented",
    ),
    Dialect(
        "result-content-type",
        ("format", "extension"),
        "CI 1.4: the Content-Type of a result is not documented: by what it is, or by its key",
    ),
    Dialect(
        "source-limit",
        ("32MB", "20MB"),
        "CI 1.3: 32 MB in 460/36620 (2026-01) and -60996, 20 MB in COS and SDK pages up to 2024-10",
    ),
    Dialect(
        "rate-region",
        ("by-region", "everywhere"),
        "CI 1.3: 460/36620 (2026-01) has 50/s for finance zones and overseas, all older pages 100/s",
    ),
    Dialect(
        "style-overwrite",
        ("replace", "refuse"),
        "CI 2: PUT ?style with the name of a standing style is not documented",
    ),
    Dialect(
        "style-missing",
        ("ignore", "refuse"),
        "CI 2: GET and DELETE ?style with a name that does not exist are not documented",
    ),
    Dialect(
        "style-in-pipeline",
        ("allow", "refuse"),
        "CI 4.11: whether style/x may be a stage of a pipeline is not documented",
    ),
)

OPERATIONS: tuple[Dialect, ...] = (
    Dialect(
        "segment-order",
        ("fixed", "textual"),
        "CI 4: order of operations inside one imageMogr2 segment is not documented",
    ),
    Dialect(
        "rounding",
        ("half-up", "down", "up"),
        "CI 4.1: rounding of fractional sizes is not documented",
    ),
    Dialect(
        "upscale",
        ("allow", "never"),
        "CI 3, 4.1: whether imageView2 2/4/5 and thumbnail WxH enlarge is not documented",
    ),
    Dialect(
        "animated-upscale",
        ("keep", "refuse"),
        "CI 4.1: animations cannot be enlarged (2025 pages); whether that is an error is not said",
    ),
    Dialect(
        "pad-colour",
        ("#FFFFFF", "#3D3D3D"),
        "CI 4.1: the CI pages (2023-07) and the COS copies disagree",
    ),
    Dialect(
        "crop",
        ("scale-then-crop", "window"),
        "CI 4.2: tables up to 2024 against pages of 2026-01",
    ),
    Dialect(
        "crop-gravity",
        ("northwest", "center"),
        "CI 4.2: the default gravity of crop is not documented; legacy northwest",
    ),
    Dialect(
        "crop-beyond",
        ("clamp", "refuse"),
        "CI 4.2: crop sizes larger than the source are not documented beyond `each below the source's side`",
    ),
    Dialect(
        "cut-outside",
        ("clip", "refuse"),
        "CI 4.2: a cut that leaves the image is not documented",
    ),
    Dialect(
        "rcrop-units",
        ("ratio", "pixels"),
        "CI 4.3: unit and format of rcrop's numbers are unknown",
    ),
    Dialect(
        "rcrop-anchor",
        ("center", "northwest"),
        "CI 4.3: the anchor of rcrop is unknown",
    ),
    Dialect(
        "scrop-face",
        ("found", "none"),
        "CI 4.3: without a face the original is returned; what counts as a face is unknown",
    ),
    Dialect(
        "iradius-canvas",
        ("circle", "source"),
        "CI 4.3: canvas 2r x 2r or the source's is not documented",
    ),
    Dialect(
        "radius-fill",
        ("transparent", "white"),
        "CI 4.3: what lies outside of iradius and rradius is not documented",
    ),
    Dialect(
        "rotate-canvas",
        ("grow", "keep"),
        "CI 4.5: the canvas of angles other than quarter turns is not documented",
    ),
    Dialect(
        "rotate-fill",
        ("transparent", "white", "black"),
        "CI 4.5: the background of angles other than quarter turns is not documented",
    ),
    Dialect(
        "alpha-in-jpg",
        ("white", "black"),
        "CI 4.3, 4.6: what shows through transparency in a format without alpha is not documented",
    ),
    Dialect(
        "quality-combination",
        ("smaller-then-floor", "quality-wins"),
        "CI 4.8: how quality, rquality and lquality combine is not documented",
    ),
    Dialect(
        "size-limit-formats",
        ("lossy", "jpg-only"),
        "CI 4.10: the CI copy demands jpg output, the COS copy shows png and says other formats",
    ),
    Dialect(
        "size-limit-unmet",
        ("smallest", "refuse"),
        "CI 4.10: a limit that cannot be met is not documented",
    ),
    Dialect(
        "size-limit-stored",
        ("accept", "refuse"),
        "CI 4.10: documented for download only; the PHP SDK has it in the builder of Pic-Operations too",
    ),
    Dialect(
        "ignore-error",
        ("any", "too-large"),
        "CI 4.10: `file too large` in 2022, `and parameters out of range and the like` from 2023",
    ),
    Dialect(
        "mark-too-large",
        ("cut", "refuse"),
        "CI 5.1: a mark larger than the picture, without blogo, is not documented",
    ),
    Dialect(
        "truncated",
        ("refuse", "render"),
        "CI 9.1: `bad source` does not say whether a file cut short is one; decoders often render what is there",
    ),
)

JOBS: tuple[Dialect, ...] = (
    Dialect(
        "job-result",
        ("sdk", "document"),
        "CI 1.8: PicProcessResult holds an UploadResult in the SDKs, ObjectName, OriginalInfo and one "
        "ProcessResult in the callback page",
    ),
    Dialect(
        "job-queue",
        ("optional", "required"),
        "CI 1.8, SCF 8.1: QueueId is required in the pages of 2023, absent from the samples of 2025",
    ),
    Dialect(
        "job-code",
        ("name", "number"),
        "CI 9.4: the list gives numbers and names; which of them Code holds is not said",
    ),
    Dialect(
        "job-service",
        ("automatic", "must-open"),
        "CI 1.3, SCF 8.2: POST /picbucket opens the service; newer pages say that first use does",
    ),
    Dialect(
        "batch-inline-rule",
        ("accept", "refuse"),
        "SCF 8.1: JobParam.PicProcess is in the Java SDK, not in the page's table (2025-12)",
    ),
    Dialect(
        "batch-input-path",
        ("slash", "bare"),
        "SCF 8.1: samples write both ${InputPath}${InputName} and ${InputPath}/${InputName}",
    ),
)

GROUPS: Mapping[str, tuple[Dialect, ...]] = {
    "Events": EVENTS,
    "Requests and answers": REQUESTS,
    "Image operations": OPERATIONS,
    "Jobs": JOBS,
}
TABLE: tuple[Dialect, ...] = tuple(dialect for group in GROUPS.values() for dialect in group)
BY_NAME: Mapping[str, Dialect] = {dialect.name: dialect for dialect in TABLE}


class DialectError(ValueError):
    """An unknown dialect or choice."""


class Dialects:
    """The choices in force: `dialects["pad-colour"]`."""

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = dict(chosen or {})
        for name, value in self._chosen.items():
            if name not in BY_NAME:
                raise DialectError(f"there is no dialect {name!r}; choose from {', '.join(BY_NAME)}")
            if value not in BY_NAME[name].choices:
                raise DialectError(f"dialect {name} is one of {', '.join(BY_NAME[name].choices)}, not {value!r}")

    @property
    def chosen(self) -> Mapping[str, str]:
        """What makes these dialects what they are, beside the defaults."""
        return self._chosen

    def __getitem__(self, name: str) -> str:
        return self._chosen.get(name, BY_NAME[name].default)
