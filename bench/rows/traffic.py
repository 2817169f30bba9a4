"""What an upload costs in calls, bytes and invocations, counted by coslocal's journal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench import deployed, peers
from bench.pictures import photo
from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY, Setting
from bench.table import Row, compared
from coslocal.app import Coslocal
from coslocal.pytest_plugin import new_client
from coslocal.scf.service import Scf
from coslocal.scf.triggers import Trigger
from coslocal.server import LocalServer
from coslocal.storage.memory import open_memory
from coslocal.storage.types import Bucket

_COUNTS = (1, 5, 7)
_METHOD = (
    "a 12-megapixel JPEG of {size:.1f} MB put into coslocal, whose trigger runs the function; exchanges in the journal"
    " other than the upload itself; the first derivatives of rules/products.yml, with the HEAD of verification"
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one upload: requests and body bytes of the function, and how often it was run."""

    calls: float
    bytes: float
    runs: float


def rows(setting: Setting) -> Iterator[Row]:
    found = peers.install()
    data = photo(4000, 3000)
    method = _METHOD.format(size=len(data) / 1e6)
    uploads = setting.runs(3, 1)
    for count in _COUNTS:
        ours = [_cost(setting.folder / f"o{count}-{n}", data, count, None) for n in range(uploads)]
        theirs = [_cost(setting.folder / f"t{count}-{n}", data, count, found) for n in range(uploads)]
        plural = "s" * (count > 1)
        yield compared(
            f"calls of COS per upload, {count} derivative{plural}", [c.calls for c in ours], [c.calls for c in theirs],
            unit="", against="Pillow handler", method=method,
        )  # fmt: skip
    yield compared(
        f"bytes through the function per upload, {_COUNTS[-1]} derivatives",
        [c.bytes for c in ours], [c.bytes for c in theirs], unit="B", against="Pillow handler", method=method,
    )  # fmt: skip
    yield compared(
        "invocations per upload", [c.runs for c in ours], [c.runs for c in theirs],
        unit="", against="Pillow handler", method=f"{method}; an invocation is one that logged",
    )  # fmt: skip


def _cost(folder: Path, data: bytes, count: int, pillow: peers.Peers | None) -> Cost:
    """One upload to a coslocal of its own with one of the two functions behind it."""
    folder.mkdir()
    app = Coslocal(open_memory(), credentials={SECRET_ID: SECRET_KEY}, region=REGION)
    app.store.create_bucket(Bucket(name=BUCKET, region=REGION, created=0))
    said: list[tuple[str, str]] = []
    with contextlib.ExitStack() as stack:
        stack.callback(app.store.close)
        server = stack.enter_context(LocalServer(app).start_in_thread())
        if pillow is None:
            function = deployed.derivo(folder, server.url, _rules(folder, count)).function(sys.executable)
        else:
            variables = {"DERIVATIVES": str(count)}
            function = deployed.pillow(folder, server.url, pillow).function(str(pillow.python), variables)
        trigger = Trigger(bucket=BUCKET, prefix="products/", function=function.name)
        scf = Scf([function], [trigger], account=deployed.ACCOUNT, log=lambda *line: said.append(line))
        stack.enter_context(scf)
        app.subscribe(scf.notify)
        new_client(proxies=server.proxies).put_object(Bucket=BUCKET, Key="products/a.jpg", Body=data)
        if not scf.wait_idle(30):
            raise RuntimeError(f"{function.name} did not finish: {said[:10]}")
        made = [item.key for item in app.store.scan(BUCKET, prefix="derived/")]
        if len(made) != count:
            raise RuntimeError(f"{function.name} made {len(made)} derivatives and not {count}: {made}")
        exchanges = [e for e in app.journal.entries() if not (e.method == "PUT" and e.key == "products/a.jpg")]
    return Cost(
        calls=len(exchanges),
        bytes=sum(e.bytes_in + e.bytes_out for e in exchanges),
        runs=len({request_id for request_id, _ in said}),
    )


def _rules(folder: Path, count: int) -> Path:
    """rules/products.yml with its first derivatives only."""
    rules = folder / "rules"
    rules.mkdir()
    rule_set = yaml.safe_load((ROOT / "rules" / "products.yml").read_text(encoding="utf-8"))
    rule_set["derivatives"] = rule_set["derivatives"][:count]
    del rule_set["examples"]
    (rules / "products.yml").write_text(yaml.safe_dump(rule_set, allow_unicode=True), encoding="utf-8")
    return rules
