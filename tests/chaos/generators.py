"""What is thrown at Derivo: events, keys and answers of COS, mostly almost right, each drawn from a `random.Random`."""

from __future__ import annotations

import json
import random
from typing import Any

from coslocal.http import Response

# Pieces of which hard keys are made: what URLs, XML, templates, shells and file systems mind.
_PIECES = (
    "a",
    "B",
    "in/",
    "/",
    "//",
    ".",
    "..",
    "../",
    "./",
    " ",
    "+",
    "%",
    "%20",
    "%2B",
    "%FF",
    "%",
    "?",
    "#",
    "&",
    "=",
    ";",
    "é",
    "e\u0301",
    "茶",
    "猫",
    "😀",
    "\U0010ffff",
    "\u202e",
    "\ufeff",
    "\x00",
    "\n",
    "\r\n",
    "\t",
    "\x7f",
    "\x85",
    "\u2028",
    "\ud800",
    "\udfff",
    "{path}",
    "{",
    "}",
    "{{",
    "$",
    "`",
    "'",
    '"',
    "<",
    ">",
    "]]>",
    "\\",
    "|",
    "*",
    "**",
    "[a-z]",
    "~",
    ".jpg",
    ".JPG",
    ".png",
    ".jpeg",
    ".webp",
    ".",
    "thumb",
    "out/",
    "mid/",
    "1250000000",
    "/1250000000/examplebucket/",
)


def text(roll: random.Random, most: int = 12) -> str:
    """A text of hard pieces, or of any characters at all."""
    if roll.random() < 0.7:
        return "".join(roll.choices(_PIECES, k=roll.randint(0, most)))
    return "".join(
        chr(roll.choice([roll.randrange(0x250), roll.randrange(0x110000)])) for _ in range(roll.randint(0, most))
    )


def key(roll: random.Random) -> str:
    """A key: any Unicode, at times as long as COS allows (850 bytes), or longer."""
    found = text(roll)
    if roll.random() < 0.7:
        found = roll.choice(["in/", "mid/", "a/in/"]) + found + roll.choice([".jpg", ".png", ""])
    if roll.random() < 0.1:
        wanted = roll.choice([800, 840, 849, 850, 851, 2000])
        filler = roll.choice(["x", "é", "茶", "x/", "."])
        found += filler * max(0, (wanted - len(found.encode("utf-8", "replace"))) // len(filler.encode()))
    return found


def value(roll: random.Random, depth: int = 2) -> Any:
    """Any JSON value, and a few that JSON does not have."""
    kinds = 13 if depth else 10
    kind = roll.randrange(kinds)
    plain = (
        None,
        True,
        False,
        roll.randint(-5, 5),
        roll.choice([10**30, -(2**63), 2**64]),
        1.5,
        float("nan"),
        float("inf"),
    )
    if kind < 8:
        return plain[kind]
    if kind < 10:
        return text(roll)
    if kind == 10:
        return [value(roll, depth - 1) for _ in range(roll.randint(0, 3))]
    if kind == 11:
        return {text(roll, 2): value(roll, depth - 1) for _ in range(roll.randint(0, 3))}
    return roll.choice([b"bytes", (1, 2), {1: 2}, object(), {"Records": []}])


# -- events

_NAMES = (
    "cos:ObjectCreated:Put",
    "cos:ObjectCreated:Post",
    "cos:ObjectCreated:Copy",
    "cos:ObjectCreated:*",
    "cos:ObjectCreated:CompleteMultipartUpload",
    "cos:ObjectCreated:Origin",
    "cos:ObjectRemove:Delete",
    "cos:ObjectRemove:DeleteMarkerCreated",
    "cos:ObjectRestore:Post",
    "cos:",
    "s3:ObjectCreated:Put",
)


def _record(roll: random.Random) -> dict[str, Any]:
    """A record as COS sends it."""
    name, appid, region = "examplebucket", "1250000000", roll.choice(["gz", "ap-guangzhou", "sh"])
    object_key = key(roll)
    return {
        "cos": {
            "cosSchemaVersion": "1.0",
            "cosBucket": {"region": region, "name": name, "appid": appid, "cosRegion": "ap-guangzhou"},
            "cosObject": {
                "url": f"http://{name}-{appid}.cos.ap-guangzhou.myqcloud.com/{object_key}",
                "key": f"/{appid}/{name}/{object_key}",
                "vid": "",
                "size": roll.choice([0, 1, 1029, 40 << 20]),
                "meta": {"x-cos-request-id": "REQ", "Content-Type": "image/jpeg", "ETag": '"0123"'},
            },
        },
        "event": {"eventName": roll.choice(_NAMES), "eventTime": 1_800_000_000, "eventSource": "qcs::cos"},
    }


def _spoil(roll: random.Random, made: dict[str, Any]) -> None:
    """Take a member out of a record, rename it, or put something else in its place."""
    inner: Any = made
    for _ in range(roll.randint(0, 2)):
        inside = [member for member in inner.values() if isinstance(member, dict) and member]
        if not inside:
            break
        inner = roll.choice(inside)
    name = roll.choice(list(inner))
    change = roll.randrange(4)
    if change == 0:
        del inner[name]
    elif change == 1:
        inner[text(roll, 2)] = inner.pop(name)
    else:
        inner[name] = value(roll)


def _timer(roll: random.Random) -> dict[str, Any]:
    """What a timer sends, or almost that."""
    message = roll.choice(["cos://examplebucket-1250000000/", "cos://examplebucket-1250000000/in/", "", text(roll)])
    made = {"Type": "Timer", "TriggerName": "heal", "Time": "2027-01-15T08:00:00Z", "Message": message}
    if roll.random() < 0.3:
        made[roll.choice(list(made))] = value(roll)
    return made


def event(roll: random.Random) -> Any:
    """An event: of COS, almost of COS, in a dead letter, of a timer, or nothing of the kind."""
    what = roll.random()
    if what < 0.06:
        return value(roll)
    if what < 0.1:
        return _timer(roll)
    count = roll.choice([1, 1, 1, 1, 2, 3]) if roll.random() < 0.9995 else roll.randint(1000, 5000)
    records: list[Any] = [_record(roll) for _ in range(min(count, 5))]
    for made in records:
        for _ in range(roll.choice([0, 1, 1, 2, 5])):
            if made:
                _spoil(roll, made)
    if roll.random() < 0.05:
        records[0] = value(roll)
    whole: Any = {"Records": records * (count // len(records))}
    if what < 0.2:
        inner: Any = roll.choice([whole, value(roll)])
        context = roll.choice([json.dumps(inner, default=str), inner, "{", "[" * 3000])
        whole = roll.choice([{"Body": {"ClientContext": context}}, {"ClientContext": context}, {"Body": value(roll)}])
    return whole


# -- answers

_UPLOAD_RESULT = """<?xml version='1.0' encoding='utf-8' ?>
<UploadResult><OriginalInfo><Key>in/a.png</Key>
<Location>examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com/in/a.png</Location><ETag>"7eaa"</ETag>
<ImageInfo><Format>PNG</Format><Width>12</Width><Height>7</Height><Quality>100</Quality><Ave>0x78641e</Ave>
<Orientation>1</Orientation></ImageInfo></OriginalInfo><ProcessResults>
<Object><Key>out/in/a.png.a.png</Key>
<Location>examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com/out/in/a.png.a.png</Location><Format>png</Format>
<Width>6</Width><Height>4</Height><Size>286</Size><Quality>100</Quality><ETag>"0c81"</ETag></Object>
<Object><Key>out/in/a.png.b.jpg</Key><Location>x</Location><Format>jpg</Format>
<Width>7</Width><Height>12</Height><Size>802</Size><ETag>"aa01"</ETag></Object>
</ProcessResults></UploadResult>"""
_ERROR = """<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>m</Message><Resource>r</Resource>
<RequestId>i</RequestId></Error>"""
_LISTING = """<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated><NextMarker>in/b</NextMarker>
<Contents><Key>in/a.png</Key><LastModified>2026-11-22T07:00:00.000Z</LastModified><ETag>"7eaa"</ETag><Size>12</Size>
</Contents></ListBucketResult>"""
_MANIFEST = json.dumps(
    {
        "manifest": 1,
        "derivo": "0",
        "rule_set": "set0",
        "source": {"bucket": "examplebucket-1250000000", "key": "in/a.png", "etag": "7eaa"},
        "derivatives": [
            {"name": "a", "bucket": "examplebucket-1250000000", "key": "out/in/a.png.a.png", "etag": "0c81"}
            | {"format": "png", "width": 1, "height": 1, "size": 1, "spec": "x"}
        ],
    }
)
_BODIES = (
    _UPLOAD_RESULT,
    _UPLOAD_RESULT,
    _UPLOAD_RESULT,
    _ERROR,
    _LISTING,
    _MANIFEST,
    "",
    "<html><body>gateway<br></body></html>",
    "<UploadResult/>",
    "<UploadResult>text</UploadResult>",
    "null",
    "[]",
    "not xml",
    "<a" * 2000,
    "<a>" * 1500 + "</a>" * 1500,
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>",
)
_STATUSES = (
    200,
    200,
    200,
    200,
    204,
    206,
    301,
    302,
    304,
    307,
    400,
    403,
    404,
    408,
    409,
    411,
    416,
    429,
    451,
    500,
    502,
    503,
    504,
    599,
)
_PLANTED = (
    "<Key>",
    "</Key>",
    "<Object>",
    "</Object>",
    "<ProcessResults>",
    "</ProcessResults>",
    "&",
    "&amp;",
    "&#0;",
    "<![CDATA[x]]>",
    "]]>",
    "99999999999999999999999",
    "-1",
    "1e9",
    "١٢",
    "\x00",
    "\ud800",
    "{http://www.qcloud.com/document/product/436/7751}",
    "'",
    '"',
    "xmlns='http://s3.amazonaws.com/doc/2006-03-01/'",
    "<Code>",
    "</Code>",
    "NoSuchKey",
    "InvalidPicOperations",
    "<a:b/>",
    "\r",
)


def _body(roll: random.Random) -> bytes:
    made = roll.choice(_BODIES)
    for _ in range(roll.choice([0, 1, 1, 2, 4])):
        at, length = roll.randint(0, len(made)), roll.choice([0, 0, 1, 5, 40, 400])
        made = made[:at] + roll.choice([*_PLANTED, text(roll, 3), "", "", ""]) + made[at + length :]
    data = made.encode("utf-8", "surrogatepass")
    if roll.random() < 0.1:
        data = data[: roll.randint(0, len(data))]
    if roll.random() < 0.05:
        data = roll.choice([b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b\x08", bytes(30)]) + data
    return data


def answer(roll: random.Random) -> Response:
    """What comes back for a request: almost the right thing, an error, a proxy's page, or a broken connection."""
    headers = [("x-cos-request-id", "REQ"), ("ETag", roll.choice(['"7eaa"', '"0c81"', "", "W/x", "\u00ff"]))]
    if roll.random() < 0.5:
        headers.append(
            ("Last-Modified", roll.choice(["Sun, 22 Nov 2026 07:00:00 GMT", "", "yesterday", "0", "9" * 40]))
        )
    if roll.random() < 0.2:
        headers.append(("Content-Encoding", roll.choice(["gzip", "deflate", "br", "identity", "x"])))
    if roll.random() < 0.3:
        headers.append(
            (roll.choice(["x-cos-error-code", "Content-Type", "x-cos-meta-derivo", "Location"]), "text/html")
        )
    roll.shuffle(headers)
    headers = headers[: roll.randint(0, len(headers))]
    body = _body(roll)
    cut = roll.choice([0, len(body) // 2, -1]) if roll.random() < 0.05 else None
    return Response(roll.choice(_STATUSES), headers, body, cut=cut)
