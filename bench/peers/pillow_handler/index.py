"""What one would write without Derivo: download the image, resize it with Pillow, upload the results.

It is written as well as such handlers are: the client is made once, every record is handled, keys are decoded, the
picture is turned upright, a JPEG is decoded no larger than the largest result needs (draft), nothing touches the disk.
The derivatives are those of rules/products.yml.
"""

import io
import os
from urllib.parse import unquote

from PIL import Image, ImageOps
from qcloud_cos import CosConfig, CosS3Client

PREFIX = "products/"
# name, width, height, cut to that size or fit into it, format (None: the source's own), quality
ALL = (
    ("thumb.webp", 200, 200, False, "WEBP", 80),
    ("thumb", 200, 200, False, None, 82),
    ("card.webp", 600, 600, True, "WEBP", 80),
    ("card", 600, 600, True, None, 82),
    ("zoom.webp", 1600, 1600, False, "WEBP", 86),
    ("zoom", 1600, 1600, False, None, 88),
    ("share", 1200, 630, True, None, 84),
)
DERIVATIVES = ALL[: int(os.environ.get("DERIVATIVES", len(ALL)))]
LARGEST = (1600, 1600)

proxy = os.environ.get("COS_PROXY")
client = CosS3Client(
    CosConfig(
        Region=os.environ["TENCENTCLOUD_REGION"],
        SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ.get("TENCENTCLOUD_SESSIONTOKEN") or None,
        Scheme=os.environ.get("COS_SCHEME", "https"),
        Proxies={"http": proxy} if proxy else None,
    )
)


def main_handler(event, context):
    written = 0
    for record in event["Records"]:
        cos = record["cos"]
        bucket = f"{cos['cosBucket']['name']}-{cos['cosBucket']['appid']}"
        key = unquote(cos["cosObject"]["key"]).split("/", 3)[3]
        written += process(bucket, key)
    print(f"{written} derivatives written")
    return {"sources": len(event["Records"]), "written": written, "failed": 0}


def process(bucket, key):
    body = client.get_object(Bucket=bucket, Key=key)["Body"].get_raw_stream().read()
    source = Image.open(io.BytesIO(body))
    format = source.format
    source.draft("RGB", LARGEST)
    image = ImageOps.exif_transpose(source)
    if format == "JPEG" and image.mode != "RGB":
        image = image.convert("RGB")
    for name, width, height, cut, target, quality in DERIVATIVES:
        resized = resize(image, width, height, cut)
        buffer = io.BytesIO()
        resized.save(buffer, target or format, quality=quality)
        extension = "" if name.endswith(".webp") else "." + key.rpartition(".")[2]
        client.put_object(Bucket=bucket, Key=f"derived/{key}.{name}{extension}", Body=buffer.getvalue())
    return len(DERIVATIVES)


def resize(image, width, height, cut):
    if cut:
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    copy = image.copy()
    copy.thumbnail((width, height), Image.Resampling.LANCZOS)
    return copy
