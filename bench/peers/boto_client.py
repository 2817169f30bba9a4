"""PUT and GET through boto3, run by path in the peers' environment: `boto_client.py URL COUNT SIZE`; prints JSON."""

import json
import sys
import time

import boto3

BUCKET = "bench-1250000000"


def main(url, count, size):
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIDlocal", aws_secret_access_key="SKlocal"
    )
    body = bytes(size)

    def put():
        client.put_object(Bucket=BUCKET, Key="bench/sdk.bin", Body=body)

    def get():
        client.get_object(Bucket=BUCKET, Key="bench/sdk.bin")["Body"].read()

    put()
    get()
    sys.stdout.write(json.dumps({"PUT": rate(put, count), "GET": rate(get, count)}))


def rate(work, count):
    started = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - started)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
