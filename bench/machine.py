"""What the figures were measured on, in one sentence."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe() -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = os.getloadavg()[2]
    return (
        f"Machine: {cores} cores of {_cpu()}, {memory:.0f} GiB of memory, {python}, {platform.system()};"
        f" load {load:.1f} over the quarter of an hour before the end."
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
