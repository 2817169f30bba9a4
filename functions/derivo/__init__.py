"""Derivo: every new image in a Tencent COS bucket gets its derivatives, and no image byte passes through us."""

__version__ = "0.1.0"
