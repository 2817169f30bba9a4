"""The arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Rules = Annotated[Path, typer.Option("--rules", help="Folder of the rule sets, or one file.")]
Region = Annotated[str | None, typer.Option("--region", help="Region of the bucket; default: TENCENTCLOUD_REGION.")]
File = Annotated[Path, typer.Option("--serverless", help="The description of the deployment.")]
Stage = Annotated[str | None, typer.Option("--stage", help="The stage to deploy; default: the file's, else dev.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
CallSeconds = Annotated[
    float, typer.Option("--call-seconds", help="Mean seconds of a processing call: it sizes the reserved concurrency.")
]
Price = Annotated[list[str] | None, typer.Option(help="NAME=AMOUNT: a price of your own; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
