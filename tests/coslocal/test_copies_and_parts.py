"""Copies, and uploads in parts."""

from typing import Any

BUCKET = "pics-1250000000"
HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"


# -- copies


def test_copy_sources(core: Any) -> None:
    etag = core.ask("PUT", "/a%2Bb", b"hello", {"x-cos-tagging": "k=v"}).headers["ETag"]
    source = f"{HOST}/a%2Bb"
    for headers, status in (
        ({"x-cos-copy-source": source}, 200),
        ({"x-cos-copy-source": f"{BUCKET}/a%2Bb?versionId="}, 200),
        ({"x-cos-copy-source": source, "x-cos-copy-source-If-Match": etag}, 200),
        ({"x-cos-copy-source": source, "x-cos-copy-source-If-Match": '"no"'}, 412),
        ({"x-cos-copy-source": source, "x-cos-copy-source-If-None-Match": etag}, 412),
        ({"x-cos-copy-source": f"{HOST}/none"}, 404),
        ({"x-cos-copy-source": f"none-1.{HOST.partition('.')[2]}/a"}, 404),
        ({"x-cos-copy-source": "nonsense"}, 400),
        ({"x-cos-copy-source": source, "x-cos-metadata-directive": "Maybe"}, 400),
    ):
        assert core.ask("PUT", "/copied", headers=headers).status == status, headers
    assert core.ask("HEAD", "/copied").headers["x-cos-tagging-count"] == "1"
    onto_itself = {"x-cos-copy-source": source}
    assert core.ask("PUT", "/a%2Bb", headers=onto_itself).code == "InvalidRequest"
    onto_itself |= {"x-cos-metadata-directive": "Replaced", "x-cos-meta-new": "1"}
    assert core.ask("PUT", "/a%2Bb", headers=onto_itself).status == 200
    assert core.ask("HEAD", "/a%2Bb").headers["x-cos-meta-new"] == "1"


# -- multipart


def complete(parts: list[tuple[int, str]]) -> bytes:
    named = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    return f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()


def test_completing_checks_what_it_is_told(core: Any) -> None:
    kept = {"Content-Type": "a/b", "x-cos-meta-a": "1"}
    upload = core.ask("POST", "/w?uploads", headers=kept).xml.findtext("UploadId")
    big = b"x" * 1_048_576
    first = core.ask("PUT", f"/w?partNumber=1&uploadId={upload}", big).headers["ETag"]
    second = core.ask("PUT", f"/w?partNumber=2&uploadId={upload}", b"end").headers["ETag"]
    at = f"/w?uploadId={upload}"
    assert core.ask("POST", at, complete([(1, second)])).code == "InvalidPart"
    assert core.ask("POST", at, complete([(3, first)])).code == "InvalidPart"
    assert core.ask("POST", at, complete([(2, second), (1, first)])).code == "InvalidPartOrder"
    assert core.ask("POST", at, complete([])).code == "MalformedXML"
    assert core.ask("POST", f"/other?uploadId={upload}", complete([(1, first)])).code == "NoSuchUpload"
    done = core.ask("POST", at, complete([(1, first), (2, second.strip('"'))]))
    assert done.status == 200 and done.xml.findtext("ETag", "").endswith('-2"')
    answer = core.ask("HEAD", "/w")
    head = answer.headers
    assert (head["Content-Type"], head["x-cos-meta-a"], answer.length) == ("a/b", "1", 1048579)
    whole = core.ask("PUT", "/plain", big + b"end").headers
    assert head["x-cos-hash-crc64ecma"] == whole["x-cos-hash-crc64ecma"]
    assert core.ask("GET", "/w", headers={"Range": "bytes=1048574-1048577"}).body == b"xxen"
    assert core.ask("POST", at, complete([(1, first)])).code == "NoSuchUpload"


def test_small_parts_may_only_come_last(core: Any) -> None:
    upload = core.ask("POST", "/w?uploads").xml.findtext("UploadId")
    etags = [core.ask("PUT", f"/w?partNumber={n}&uploadId={upload}", b"x").headers["ETag"] for n in (1, 2)]
    parts = complete(list(enumerate(etags, 1)))
    assert core.ask("POST", f"/w?uploadId={upload}", parts).code == "EntityTooSmall"
    assert core.ask("PUT", f"/w?partNumber=0&uploadId={upload}", b"x").code == "InvalidArgument"
    assert core.ask("PUT", f"/w?partNumber=10001&uploadId={upload}", b"x").code == "InvalidArgument"


def test_uploads_and_parts_are_paged(core: Any) -> None:
    ids = [core.ask("POST", f"/{key}?uploads").xml.findtext("UploadId") for key in ("a/1", "a/2", "b", "b", "c")]
    seen, markers = [], ("", "")
    while True:
        query = f"/?uploads&max-uploads=1&key-marker={markers[0]}&upload-id-marker={markers[1]}"
        answer = core.ask("GET", query).xml
        seen += [item.text for item in answer.iterfind("Upload/UploadId")]
        if answer.findtext("IsTruncated") == "false":
            break
        markers = (answer.findtext("NextKeyMarker") or "", answer.findtext("NextUploadIdMarker") or "")
    assert sorted(seen) == sorted(ids) and len(seen) == len(ids)
    folded = core.ask("GET", "/?uploads&delimiter=/").xml
    assert [item.text for item in folded.iterfind("CommonPrefixes/Prefix")] == ["a/"]
    assert len(folded.findall("Upload")) == 3
    for n in (1, 2, 3):
        core.ask("PUT", f"/c?partNumber={n}&uploadId={ids[4]}", b"x")
    page = core.ask("GET", f"/c?uploadId={ids[4]}&max-parts=2").xml
    assert [item.text for item in page.iterfind("Part/PartNumber")] == ["1", "2"]
    assert page.findtext("NextPartNumberMarker") == "2"
    page = core.ask("GET", f"/c?uploadId={ids[4]}&part-number-marker=2").xml
    assert [item.text for item in page.iterfind("Part/PartNumber")] == ["3"]
