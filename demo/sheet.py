"""The contact sheet as one HTML file that needs nothing beside it: every source with every derivative, as they are."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import pyvips

from demo.results import Derived, Result, against, amount

_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif"}

_STYLE = """
:root { color-scheme: light dark; --paper: #f7f5f1; --card: #fff; --ink: #1c1f26; --faint: #6a7180; --line: #e4e0d8;
  --accent: #b4560b; --wrong: #c62828; --check: #e9e6df; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181e; --card: #1d2128; --ink: #eef0f4; --faint: #98a0ae;
  --line: #2e333d; --accent: #ffb366; --wrong: #ff7a7a; --check: #2a2f38; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.5rem 5rem; max-width: 84rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em; } h1 span { color: var(--accent); }
header p { margin: .3rem 0 2rem; color: var(--faint); }
section { margin: 0 0 1.5rem; padding: 1.4rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; }
h2 { margin: 0; font: 600 1rem/1.4 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.facts { margin: .15rem 0 1rem; color: var(--faint); }
.row { display: grid; grid-template-columns: minmax(12rem, 18rem) 1fr; gap: 1.6rem; align-items: start; }
.made { display: flex; flex-wrap: wrap; gap: 1.2rem 1.1rem; }
figure { margin: 0; } .made figure { max-width: 17rem; }
img { display: block; max-width: 100%; border-radius: 6px;
  background: repeating-conic-gradient(var(--check) 0 25%, transparent 0 50%) 0 0 / 16px 16px; }
.made img { height: 9rem; width: auto; object-fit: contain; }
figcaption { margin-top: .4rem; font-size: .82rem; color: var(--faint); overflow-wrap: anywhere; }
figcaption b { color: var(--ink); } figcaption em { font-style: normal; color: var(--accent); }
code { display: block; margin-top: .25rem; font: .72rem/1.45 ui-monospace, Menlo, Consolas, monospace; }
.none { height: 9rem; width: 9rem; display: grid; place-items: center; border: 2px dashed var(--wrong);
  border-radius: 6px; }
.wrong, .none { color: var(--wrong); }
@media (max-width: 46rem) { .row { grid-template-columns: 1fr; } body { padding: 1.5rem 1rem; } }
""".strip()


def sheet(results: Sequence[Result]) -> str:
    """The whole page. Keys, notes and rules are other people's text and are escaped."""
    sources = sum(len(result.picture.data) for result in results)
    count, total = sum(len(result.derivatives) for result in results), sum(result.bytes for result in results)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Derivo: contact sheet</title>\n'
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<header>\n<h1><span>Derivo</span> contact sheet</h1>\n"
        f"<p>{len(results)} sources, {amount(sources)} → {count} derivatives, {amount(total)}. "
        "Every picture below is the file as it lies in the bucket.</p>\n</header>\n"
        + "".join(_section(result) for result in results)
        + "</body>\n</html>\n"
    )


def _section(result: Result) -> str:
    picture = result.picture
    facts = [
        picture.note,
        f"{picture.width}×{picture.height}",
        amount(len(picture.data)),
        f"rules/{result.rule_set}.yml",
        f"{result.calls} requests" if result.calls and result.calls > 1 else "",
        f"{result.milliseconds} ms" if result.milliseconds is not None else "",
    ]
    return (
        f"<section>\n<h2>{escape(picture.key)}</h2>\n"
        f'<p class="facts">{escape(" · ".join(filter(None, facts)))}</p>\n<div class="row">\n'
        f'<figure><img src="{_preview(picture.data)}" alt="the source"></figure>\n<div class="made">\n'
        + "".join(_figure(derived, len(picture.data)) for derived in result.derivatives)
        + "</div>\n</div>\n</section>\n"
    )


def _figure(derived: Derived, source: int) -> str:
    wrong = "".join(f'<br><span class="wrong">{escape(problem)}</span>' for problem in derived.problems)
    rule = f'<code title="{escape(derived.key)}">{escape(derived.rule)}</code>'
    if derived.seen is None or derived.seen.format not in _TYPES:
        return (
            '<figure><div class="none">missing</div>'
            f"<figcaption><b>{escape(derived.name)}</b>{wrong}{rule}</figcaption></figure>\n"
        )
    seen = derived.seen
    frames = f", {seen.frames} frames" if seen.frames > 1 else ""
    return (
        f'<figure><img src="{_inline(derived.data, _TYPES[seen.format])}" alt="{escape(derived.key)}">'
        f"<figcaption><b>{escape(derived.name)}</b> {seen.width}×{seen.height} {seen.format}{frames}<br>"
        f"{amount(len(derived.data))} <em>{against(source, len(derived.data))}</em>{wrong}{rule}"
        "</figcaption></figure>\n"
    )


def _preview(data: bytes) -> str:
    """The source, upright and small: a page of 24 megapixel files would be of no use. Animations stay as they are."""
    if data[:4] == b"GIF8":
        return _inline(data, "image/gif")
    image = pyvips.Image.thumbnail_buffer(data, 560, height=560, size="down", export_profile="srgb")
    return _inline(bytes(image.colourspace("srgb").webpsave_buffer(Q=84, keep="none")), "image/webp")


def _inline(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
