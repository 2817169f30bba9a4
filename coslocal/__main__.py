"""`python -m coslocal`."""

from __future__ import annotations

from coslocal.cli import main

main()
