"""How fast: the platform's requests a second, a token bucket, and concurrency that follows what the answers say."""

from __future__ import annotations

from derivo.ci import limits

# The mainland's public regions; finance zones and all others have the lower rate (CI 1.3).
_MAINLAND = frozenset(
    f"ap-{place}" for place in ("beijing-1", "beijing", "nanjing", "shanghai", "guangzhou", "chengdu", "chongqing")
)


def region_limit(region: str) -> int:
    """Processing requests a second that an account may make in a region."""
    return limits.QPS_CLOUD if region in _MAINLAND else limits.QPS_ABROAD
