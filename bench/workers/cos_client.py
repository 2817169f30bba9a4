"""PUT and GET through the COS SDK: `cos_client URL COUNT SIZE`; prints requests a second as JSON."""

from __future__ import annotations

import json
import sys

from qcloud_cos import CosConfig, CosS3Client

from bench.setting import BUCKET, REGION, SECRET_ID, SECRET_KEY
from bench.timing import timed


def main(url: str, count: int, size: int) -> None:
    proxies = {"http": url}
    client = CosS3Client(
        CosConfig(Region=REGION, SecretId=SECRET_ID, SecretKey=SECRET_KEY, Scheme="http", Proxies=proxies)
    )
    body = bytes(size)

    def put() -> None:
        client.put_object(Bucket=BUCKET, Key="bench/sdk.bin", Body=body)

    def get() -> None:
        client.get_object(Bucket=BUCKET, Key="bench/sdk.bin")["Body"].get_raw_stream().read()

    put()
    get()
    sys.stdout.write(json.dumps({"PUT": 1 / timed(put, count), "GET": 1 / timed(get, count)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
