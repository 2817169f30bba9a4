"""derivo explain: why this key gets these derivatives, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivo import settings
from derivo.ci import prices
from derivo.events import Source
from derivo.fileids import Fileids
from derivo_cli import explaining, pricing, rules, url
from derivo_cli.exits import DONE, Stop

# Of no consequence for a plan; requests carry no region.
_REGION = "ap-guangzhou"

_ASKED = "COS may read this key's fileid as another key: Derivo asks once before it writes; derivo probe tells"
_REFUSED = "will fail with bad_key: COS takes `//` for `/` in fileids (DERIVO_FILEID_PATH)"


def run(
    address: str, *, rules_folder: Path, size: int | None, own_prices: list[str], as_json: bool, console: Console
) -> int:
    """Print the explanation. 0 also when there is nothing to make: that is an answer."""
    target = url.parse(address)
    if not target.key:
        raise Stop(f"{address} names no object; write cos://BUCKET-APPID/KEY")
    source = Source(bucket=target.bucket, region=_REGION, key=target.key, size=size)
    table = pricing.table(own_prices)
    configured = settings.read()
    known = Fileids(configured.fileid_encoding, configured.fileid_path)
    found = explaining.explanation(source, rules.index(rules_folder), table, known)
    if as_json:
        console.file.write(explaining.as_json(found) + "\n")
        return DONE
    _show_considered(found, console)
    _show_derivatives(found, known, console)
    _show_requests(found, console)
    _show_cost(found, table, console)
    return DONE


def _show_considered(found: explaining.Explanation, console: Console) -> None:
    console.print(Text(f"cos://{found.bucket}/{found.key}", style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, title="rule sets considered, in order", title_justify="left")
    for heading in ("", "rule set", "prefix", "why not"):
        table.add_column(heading)
    for item in found.considered:
        mark = Text("yes", style="green") if item.matches else Text("no", style="dim")
        why = f"{item.failed}: {item.detail}" if item.failed else ""
        table.add_row(mark, Text(item.rule_set), Text(item.prefix), Text(why))
    console.print(table)


def _show_derivatives(found: explaining.Explanation, known: Fileids, console: Console) -> None:
    if not found.derivatives:
        console.print("\nno derivatives")
        return
    console.print("\nderivatives")
    for item in found.derivatives:
        console.print(Text(f"  {item.rule_set}/{item.name} -> cos://{item.bucket}/{item.key}"), soft_wrap=True)
        console.print(Text(f"    {item.canonical}  (spec {item.spec})", style="dim"), soft_wrap=True)
        if item.blocked:
            console.print(Text(f"    cannot be made: {item.blocked}", style="red"), soft_wrap=True)
        elif known.refuses(item.key):
            console.print(Text(f"    {_REFUSED}", style="red"), soft_wrap=True)
        elif known.is_open(item.key):
            console.print(Text(f"    {_ASKED}", style="yellow"), soft_wrap=True)


def _show_requests(found: explaining.Explanation, console: Console) -> None:
    if not found.requests:
        return
    console.print(f"\nrequests: {len(found.requests)} (POST ?image_process, header Pic-Operations)")
    for text in found.requests:
        # written as it stands, so that it can be copied: no folding, no markup
        console.file.write(f"  {text}\n")


def _show_cost(found: explaining.Explanation, table: Mapping[str, prices.Price], console: Console) -> None:
    if not found.requests:
        return
    if found.size is None:
        console.print("\ncost: give --size BYTES; basic processing is billed by the source's bytes")
        return
    cost = found.cost
    least = "" if cost.complete else "at least "
    console.print(f"\ncost: {least}{cost.amount:.8f} {cost.currency} an image, {cost.amount * 1e6:,.2f} a million")
    for line in cost.lines:
        price = table.get(line.name)
        if price is None or line.amount is None:
            console.print(Text(f"  {line.name}: {line.quantity} {line.unit}, price unknown"))
            continue
        unit = "GiB" if price.unit == "bytes" else f"{price.per} {price.unit}"
        of = "your price" if price.amount != prices.PRICES[line.name].amount else f"price of {price.date}"
        console.print(
            Text(
                f"  {line.name}: {line.quantity} {line.unit}, {line.amount:.8f} {price.currency} "
                f"({of}: {price.amount:g} a {unit})"
            ),
            soft_wrap=True,
        )
