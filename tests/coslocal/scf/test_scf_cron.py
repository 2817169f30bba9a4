from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coslocal.scf.cron import CronError, parse

BEIJING = timezone(timedelta(hours=8))


def at(text: str, zone: timezone = UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def fires(expression: str, start: str, count: int, zone: timezone = UTC) -> list[str]:
    """The next times after `start`, as text in the zone."""
    cron, when, found = parse(expression), at(start, zone), []
    for _ in range(count):
        following = cron.next_after(when, zone)
        if following is None:
            break
        when = following
        found.append(datetime.fromtimestamp(following, zone).strftime("%Y-%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        # the vendor's examples (583/9708); 2024-02-28 is a Wednesday
        ("*/5 * * * * * *", "2024-02-28 23:59:52", ["2024-02-28 23:59:55", "2024-02-29 00:00:00"]),
        ("0 15 10 1 * * *", "2024-02-28 00:00:00", ["2024-03-01 10:15:00", "2024-04-01 10:15:00"]),
        ("0 15 10 * * MON-FRI *", "2024-03-01 12:00:00", ["2024-03-04 10:15:00", "2024-03-05 10:15:00"]),
        ("0 0 10,14,16 * * * *", "2024-02-28 10:00:00", ["2024-02-28 14:00:00", "2024-02-28 16:00:00"]),
        ("0 */30 9-17 * * * *", "2024-02-28 17:00:00", ["2024-02-28 17:30:00", "2024-02-29 09:00:00"]),
        ("0 0 12 * * WED *", "2024-02-28 12:00:00", ["2024-03-06 12:00:00"]),
        # day and week together: either will do
        ("0 0 0 29 * FRI *", "2024-02-28 12:00:00", ["2024-02-29 00:00:00", "2024-03-01 00:00:00"]),
        ("0 0 0 2 * ? *", "2024-02-28 12:00:00", ["2024-03-02 00:00:00", "2024-04-02 00:00:00"]),
        ("0 0 0 L * ? *", "2024-02-28 12:00:00", ["2024-02-29 00:00:00", "2024-03-31 00:00:00"]),
        ("0 0 0 LW * ? *", "2024-02-28 12:00:00", ["2024-02-29 00:00:00", "2024-03-29 00:00:00"]),
        ("0 0 0 10W * ? *", "2024-02-28 12:00:00", ["2024-03-11 00:00:00", "2024-04-10 00:00:00"]),
        ("0 0 0 1W 6 ? *", "2024-02-28 12:00:00", ["2024-06-03 00:00:00", "2025-06-02 00:00:00"]),
        ("0 0 0 31W * ? *", "2024-02-28 12:00:00", ["2024-03-29 00:00:00", "2024-05-31 00:00:00"]),
        ("0 0 0 ? * 5L *", "2024-02-28 12:00:00", ["2024-03-29 00:00:00", "2024-04-26 00:00:00"]),
        ("0 0 0 ? * SAT#3 *", "2024-02-28 12:00:00", ["2024-03-16 00:00:00", "2024-04-20 00:00:00"]),
        ("0 1/10 * * * * *", "2024-02-28 12:00:00", ["2024-02-28 12:01:00", "2024-02-28 12:11:00"]),
        ("7 6 5 29 feb * *", "2024-03-01 00:00:00", ["2028-02-29 05:06:07", "2032-02-29 05:06:07"]),
        ("0 0 0 1 1 * 2098/1", "2097-05-01 00:00:00", ["2098-01-01 00:00:00", "2099-01-01 00:00:00"]),
        ("0 0 0 30 2 * *", "2024-01-01 00:00:00", []),
        ("0 0 0 1 1 * 1999", "2024-01-01 00:00:00", []),
    ],
)
def test_worked_examples(expression: str, start: str, expected: list[str]) -> None:
    assert fires(expression, start, 2)[: len(expected)] == expected


def test_the_fields_are_read_in_the_zone() -> None:
    assert parse("0 0 8 * * * *").next_after(at("2024-02-28 00:00:00", BEIJING), BEIJING) == at("2024-02-28 00:00:00")
    assert parse("0 0 8 * * * *").next_after(at("2024-02-28 00:00:00"), UTC) == at("2024-02-28 08:00:00")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("* * * * *", "seven"),
        ("", "seven"),
        ("60 * * * * * *", "second"),
        ("* * * 0 * * *", "day"),
        ("* * * * 13 * *", "month"),
        ("* * * * * 7 *", "week"),
        ("* * * * * * 2100", "year"),
        ("*/0 * * * * * *", "second"),
        ("5-1 * * * * * *", "second"),
        ("1, * * * * * *", "second"),
        ("-1 * * * * * *", "second"),
        ("1.5 * * * * * *", "second"),
        ("? * * * * * *", "second"),
        ("* * * W * * *", "day"),
        ("* * * * * L *", "week"),
        ("* * * * * 5#6 *", "week"),
        ("* * * * * FRI-MON *", "week"),
        ("٣ * * * * * *", "second"),
        ("* * * ٣W * * *", "day"),
        ("1" * 5000 + " * * * * * *", "longer"),
    ],
)
def test_what_the_platform_would_refuse_is_refused_by_the_name_of_its_field(expression: str, said: str) -> None:
    with pytest.raises(CronError, match=said) as refused:
        parse(expression)
    assert len(str(refused.value)) < 1000


numbers = {"sec": (0, 59), "min": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "week": (0, 6)}


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int]]:
    """A field as text, and what it means, said another way."""
    pieces, meant = [], set[int]()
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, 20))
        form = draw(st.sampled_from(["one", "range", "stepped", "from", "all"]))
        text, values = {
            "one": (f"{first}", [first]),
            "range": (f"{first}-{last}", list(range(first, last + 1))),
            "stepped": (f"{first}-{last}/{step}", [v for v in range(first, last + 1) if (v - first) % step == 0]),
            "from": (f"{first}/{step}", [v for v in range(first, high + 1) if (v - first) % step == 0]),
            "all": (f"*/{step}", [v for v in range(low, high + 1) if (v - low) % step == 0]),
        }[form]
        pieces.append(text)
        meant.update(values)
    return ",".join(pieces), frozenset(meant)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[str, dict[str, frozenset[int] | None]]:
    texts, meant = [], dict[str, frozenset[int] | None]()
    for name, (low, high) in numbers.items():
        text, values = draw(st.one_of(st.just(("*", None)), fields(low, high)))
        texts.append(text)
        meant[name] = values
    return " ".join([*texts, "*"]), meant


@settings(max_examples=60, deadline=None)
@given(schedules(), st.integers(1_600_000_000, 1_900_000_000), st.sampled_from([UTC, BEIJING]))
def test_the_next_time_is_the_one_that_trying_every_second_finds(
    schedule: tuple[str, dict[str, frozenset[int] | None]], start: int, zone: timezone
) -> None:
    """A brute-force oracle walks on second by second where the day fits, and day by day where it does not."""
    expression, meant = schedule

    def holds(name: str, value: int) -> bool:
        values = meant[name]
        return values is None or value in values

    def day_fits(when: datetime) -> bool:
        named = [name for name in ("day", "week") if meant[name] is not None]
        value = {"day": when.day, "week": when.isoweekday() % 7}
        return holds("month", when.month) and (not named or any(holds(name, value[name]) for name in named))

    when = datetime.fromtimestamp(start, zone) + timedelta(seconds=1)
    while True:
        if when.year > 2090:
            expected = None
            break
        if not (day_fits(when) and holds("hour", when.hour)):
            when = when.replace(minute=0, second=0) + timedelta(hours=1)
            continue
        if holds("min", when.minute) and holds("sec", when.second):
            expected = int(when.timestamp())
            break
        when += timedelta(seconds=1)
    found = parse(expression).next_after(start + 0.25, zone)
    if expected is None:
        assert found is None or datetime.fromtimestamp(found, zone).year > 2090
    else:
        assert found == expected
