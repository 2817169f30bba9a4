"""serverless.yml is edited in place: the triggers are those that were wanted, and not another line is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from derivo_cli import serverless
from derivo_cli.serverless import CosTrigger, TimerTrigger
from derivo_cli.triggers.editing import edited, scalar

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "${env:B}.cos.${env:R}.myqcloud.com"


def cos(prefix: str, suffix: str = "", name: str = "cos:ObjectCreated:*", bucket: str = BUCKET) -> CosTrigger:
    return CosTrigger(bucket, prefix, suffix, name, True)


HEAD = "component: scf # c\nname: n\n\ninputs:\n  name: f\n"
TIMER = TimerTrigger("sweep", "0 0 3 * * * *", "", True)


def test_a_file_that_is_right_stays_as_it_is() -> None:
    text = (ROOT / "serverless.yml").read_text("utf-8")
    assert edited(text, serverless.parse(text).triggers) == text


def test_only_what_is_wrong_changes() -> None:
    text = HEAD + (
        "  events:\n"
        "    # all of these\n"
        "    - cos: # gone\n"
        "        parameters: {bucket: b, filter: {prefix: old/}, events: cos:ObjectCreated:*, enable: true}\n"
        "    # the clock\n"
        "    - timer: {name: t, parameters: {cronExpression: '0 0 0 * * * *', enable: true}}\n"
        f'    - cos: {{parameters: {{bucket: "{BUCKET}", filter: {{prefix: a/}}, events: "cos:ObjectCreated:*", '
        "enable: true}} # stays\n"
        "\n"
        "  # the end\n"
        "  timeout: 60\n"
    )
    made = edited(text, [cos("a/"), cos("b/", ".jpg")])
    assert made.splitlines() == [
        *text.splitlines()[:7],
        *text.splitlines()[9:12],
        "    - cos:",
        "        parameters:",
        "          bucket: ${env:B}.cos.${env:R}.myqcloud.com",
        "          filter: {prefix: b/, suffix: .jpg}",
        "          events: cos:ObjectCreated:*",
        "          enable: true",
        *text.splitlines()[12:],
    ]


@pytest.mark.parametrize(
    "events",
    [
        "",
        "  events:\n",
        "  events: [] # none\n",
        "  events: null\n  timeout: 3\n",
        "  events: ~ # no\n\n  # x\n",
        "  # x",
    ],
)
def test_a_file_without_events_gets_some(events: str) -> None:
    made = edited(HEAD + events, [cos("a/")], [TIMER])
    found = serverless.parse(made)
    assert found.triggers == (cos("a/"),)
    assert found.timers == (TIMER,)
    assert made.count("#") == (HEAD + events).count("#")


def test_the_timer_is_added_once() -> None:
    once = edited(HEAD, [cos("a/")], [TIMER])
    assert edited(once, [cos("a/")], [TIMER]) == once
    assert edited(once, [cos("b/")], [TIMER]).count("timer") == 1


def test_line_ends_stay_what_they_are() -> None:
    text = (HEAD + "  events:\n    - cos: {}\n").replace("\n", "\r\n")
    made = edited(text, [cos("a/")])
    assert made.count("\n") == made.count("\r\n") > 10
    assert serverless.parse(made).triggers == (cos("a/"),)


def test_a_disabled_trigger_is_opened() -> None:
    text = edited(HEAD, [cos("a/")]).replace("true", "false")
    assert serverless.parse(edited(text, [cos("a/")])).triggers == (cos("a/"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inputs: {events: []}", "component"),
        ("component: scf\ninputs: {name: f}\n", "block"),
        ("component: scf\ninputs: {}\n", "block"),
        (HEAD + "  events: [{cos: {}}]\n", "brackets"),
        (HEAD + "  events:\n    - &a\n      cos: {}\n    - *a\n", "anchor"),
        (HEAD + "  events: &all\n    - cos: {}\n", "anchor"),
        (HEAD + "  events: !!seq\n    - cos: {}\n", "tag"),
        (HEAD + "  events:\n    - cos: {}\n      timer: {}\n", "more than `cos`"),
        (HEAD + "  events: words\n", "list"),
        (HEAD.replace("\n", "\r") + "  events:\r    - cos: {}\r", "in place"),
        (f"x: &i {{events: []}}\n{HEAD}  <<: *i\n", "in place"),
        ("a: [", "not YAML"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_the_mend(text: str, said: str) -> None:
    try:
        made = edited(text, [cos("a/")])
    except ValueError as refused:
        assert said in str(refused)
    else:  # an odd shape that could be edited after all
        assert said == "in place"
        assert serverless.parse(made).triggers == (cos("a/"),)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.booleans())
def test_any_text_is_read_back(text: str, flow: bool) -> None:
    document = f"{{k: {scalar(text, flow=True)}, l: 1}}" if flow else f"k: {scalar(text)}\nl: 1"
    assert yaml.safe_load(document) == {"k": text, "l": 1}


_COMMENTS = st.sampled_from(["", "", "    # a comment: - cos", "# at the left", "\t", "          # far right"])
_PREFIXES = st.sampled_from(["a/", "b/", "é 字/", "{x}/", "a#b/", "- /", "'", '"', "*", "true"])
_OTHERS = st.sampled_from(
    [
        ["    - timer:", "        name: t", "        parameters: {cronExpression: '* * * * * * *', enable: true}"],
        ["    - apigw: {name: g}"],
        ["    - http: # url", "        name: |", "          - cos:", "            x"],
        ["    - ckafka:", "        name: 'two", "          lines'  # end"],
    ]
)


@st.composite
def _written(draw: st.DrawFn) -> list[str]:
    trigger = cos(draw(_PREFIXES), draw(st.sampled_from(["", ".jpg"])))
    enabled = draw(st.sampled_from(["true", "true", "false"]))
    wanted = ", ".join(
        f"{name}: {scalar(text, flow=True)}"
        for name, text in (("prefix", trigger.prefix), ("suffix", trigger.suffix))
        if text
    )
    if draw(st.booleans()):
        parts = [f"bucket: '{BUCKET}'", f"filter: {{{wanted}}}", f"events: '{trigger.event}'", f"enable: {enabled}"]
        return [f"    - {{cos: {{parameters: {{{', '.join(parts)}}}}}}} # one line"]
    dash = draw(st.sampled_from([["    - cos:"], ["    -", "      cos:"], ["    - # here", "      cos: # there"]]))
    inside = draw(st.sampled_from([[], ["          # inside"]]))
    return [
        *dash,
        "        parameters:",
        f"          bucket: {BUCKET}",
        *inside,
        f"          filter: {{{wanted}}}",
        f"          events: {trigger.event}",
        f"          enable: {enabled} # last",
    ]


_ENTRIES = st.lists(st.tuples(st.booleans(), _written(), _OTHERS, st.lists(_COMMENTS, max_size=2)), max_size=5)


@settings(max_examples=80, deadline=None)
@given(_ENTRIES, st.lists(_PREFIXES, unique=True, max_size=4), st.sampled_from(["", "  timeout: 3\n", "  # end"]))
def test_all_other_lines_stay_in_their_order(
    entries: list[tuple[bool, list[str], list[str], list[str]]], prefixes: list[str], end: str
) -> None:
    lines = [*HEAD.splitlines(), "  events: # these"]
    others = list(lines)
    for is_cos, written, other, comments in entries:
        lines += [*(written if is_cos else other), *comments]
        others += [*([] if is_cos else other), *comments]
    text = "\n".join(lines) + "\n" + end
    others += end.splitlines()
    wanted = [cos(prefix) for prefix in prefixes]
    try:
        serverless.parse(text)
    except ValueError:
        event("not YAML")  # a tab where none may be
        return
    made = edited(text, wanted)
    found = serverless.parse(made)
    assert sorted(map(repr, found.triggers)) == sorted(map(repr, wanted))
    assert edited(made, wanted) == made
    left = iter(made.splitlines())
    assert all(line in left for line in others), made
    kept = [t for t in serverless.parse(text).triggers if t in wanted]
    for trigger in kept:
        event("an entry stayed")
        assert trigger in found.triggers
