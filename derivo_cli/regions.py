"""The region of a command: as it was told, or as the environment has it."""

from __future__ import annotations

from derivo.settings import Settings
from derivo_cli.exits import Stop


def known(told: str | None, configured: Settings) -> str:
    """Raises Stop (usage) where nobody tells one."""
    region = told or configured.region
    if not region:
        raise Stop("no region: give --region ap-guangzhou, or set TENCENTCLOUD_REGION")
    return region
