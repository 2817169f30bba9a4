"""Photographs of any size: noise over a gradient, which costs a codec what a photograph costs it."""

from __future__ import annotations

from functools import cache

import pyvips


@cache
def photo(width: int, height: int, *, grain: float = 8.0, quality: int = 88) -> bytes:
    """A JPEG. `grain` is the deviation of its noise in levels of 255: with `quality`, it settles the bytes."""
    ramp = pyvips.Image.xyz(width, height)
    waves = [(ramp[0] * (3.1 + band)).sin() * 60 + (ramp[1] * (2.3 + band)).cos() * 60 + 128 for band in range(3)]
    noise = [pyvips.Image.gaussnoise(width, height, sigma=grain, mean=0, seed=band + 1) for band in range(3)]
    image = waves[0].bandjoin(waves[1:]) + noise[0].bandjoin(noise[1:])
    return bytes(image.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=quality, keep="none"))
