"""x-cos-traffic-limit: the number is judged, and the pace is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosServiceError

from coslocal.operations.traffic import LEAST, MOST, read
from coslocal.pace import Pace
from coslocal.pytest_plugin import Server


def by_link(server: Server, limit: object) -> requests.Response:
    """A download by a signed link that carries the limit."""
    link = server.client().get_presigned_download_url(
        Bucket=server.bucket, Key="a", Params={"x-cos-traffic-limit": str(limit)}
    )
    return requests.get(link, proxies=server.proxies, timeout=30)


@pytest.mark.parametrize("limit", [LEAST - 1, MOST + 1, "fast", "-1", "1e6"])
def test_a_limit_that_is_none_is_refused(coslocal_server: Server, limit: object) -> None:
    client, place = coslocal_server.client(), {"Bucket": coslocal_server.bucket, "Key": "a"}
    coslocal_server.put("a", b"old")
    part = {**place, "UploadId": client.create_multipart_upload(**place)["UploadId"], "PartNumber": 1}
    for call in (
        lambda: client.put_object(**place, Body=b"new", TrafficLimit=str(limit)),
        lambda: client.get_object(**place, TrafficLimit=str(limit)),
        lambda: client.upload_part(**part, Body=b"x", TrafficLimit=str(limit)),
    ):
        with pytest.raises(CosServiceError) as caught:
            call()
        assert (caught.value.get_status_code(), caught.value.get_error_code()) == (400, "InvalidArgument")
    answer = by_link(coslocal_server, limit)
    assert answer.status_code == 400 and "<Code>InvalidArgument</Code>" in answer.text
    assert coslocal_server.get("a") == b"old"


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_a_limited_transfer_brings_every_byte(coslocal_server: Server, size: int) -> None:
    client, place = coslocal_server.client(), {"Bucket": coslocal_server.bucket, "Key": "a"}
    data = bytes(range(250)) * (size // 250) + b"x" * (size % 250)
    client.put_object(**place, Body=data, TrafficLimit=str(MOST))
    assert coslocal_server.get("a") == data
    assert client.get_object(**place, TrafficLimit=str(MOST))["Body"].get_raw_stream().read() == data
    assert by_link(coslocal_server, MOST).content == data


@given(st.integers(0, 10**12))
def test_the_number_is_in_bits(number: int) -> None:
    assert read(str(number)) == (number // 8 if LEAST <= number <= MOST else None)


class World:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(rate=st.integers(1, 10**8), sizes=st.lists(st.integers(0, 10**6), max_size=20))
def test_a_transfer_takes_as_long_as_its_rate_says(rate: int, sizes: list[int]) -> None:
    world = World()
    pace = Pace(rate, lambda: world.now, world.sleep)

    async def transfer() -> None:
        for size in sizes:
            await pace.moved(size)

    asyncio.run(transfer())
    assert world.now - 100.0 == pytest.approx(sum(sizes) / rate, abs=1e-6)


@given(rate=st.one_of(st.none(), st.integers(1, 5000)), chunk=st.binary(max_size=4000))
def test_pieces_are_the_chunk_and_small_for_the_rate(rate: Any, chunk: bytes) -> None:
    pieces = list(Pace(rate).pieces(chunk))
    assert b"".join(pieces) == chunk
    assert all(len(piece) <= max(1, rate // 10) for piece in pieces if rate is not None)
