"""The platform's cron expressions: when a timer fires (583/9708 of 2024-12-02, in both languages)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,4}))?", re.ASCII)
_LONGEST = 256

DayTest = Callable[[date], bool]


class CronError(ValueError):
    """An expression that the platform would refuse."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_SECOND, _MINUTE, _HOUR = _Field("second", 0, 59), _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY, _MONTH = _Field("day", 1, 31), _Field("month", 1, 12, _MONTHS)
_WEEK, _YEAR = _Field("week", 0, 6, _WEEKDAYS), _Field("year", 1970, 2099)


@dataclass(frozen=True)
class Cron:
    """An expression of seven fields: second, minute, hour, day, month, week (0 is Sunday), year. Make one with `parse`.

    Where both day and week name something, either will do.
    """

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    falls_on: DayTest

    def __str__(self) -> str:
        return self.text

    def next_after(self, when: float, zone: timezone = UTC) -> int | None:
        """The first second (unix) after `when` that it names, its fields read in `zone`; None when there is none."""
        start = datetime.fromtimestamp(int(when // 1) + 1, zone)
        earliest = (start.hour, start.minute, start.second)
        today = start.date()
        for day in self._days(today):
            time = self._time_from(earliest if day == today else (0, 0, 0))
            if time is not None:
                return int(datetime(day.year, day.month, day.day, *time, tzinfo=zone).timestamp())
        return None

    def _days(self, first: date) -> list[date]:
        """At most two days that it names, from `first` on: the first may have no time left."""
        found: list[date] = []
        for year in self.years:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for number in range(1, monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.falls_on(day):
                        found.append(day)
                        if len(found) == 2:
                            return found
        return found

    def _time_from(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """The first time of day that it names, not before `earliest`."""
        hour, minute, second = earliest
        later_second = _from(self.seconds, second)
        if hour in self.hours and minute in self.minutes and later_second is not None:
            return hour, minute, later_second
        later_minute = _from(self.minutes, minute + 1)
        if hour in self.hours and later_minute is not None:
            return hour, later_minute, self.seconds[0]
        later_hour = _from(self.hours, hour + 1)
        return None if later_hour is None else (later_hour, self.minutes[0], self.seconds[0])


def _from(values: tuple[int, ...], low: int) -> int | None:
    return next((value for value in values if value >= low), None)


def parse(text: str) -> Cron:
    """Raises CronError, which names the field and what it may hold."""
    fields = text.split()
    if len(fields) != 7:
        raise CronError(
            f"cron {text[:_LONGEST]!r} has {len(fields)} fields instead of seven: second minute hour day month week"
            " year, such as '0 15 10 * * MON-FRI *'"
        )
    if len(text) > _LONGEST:
        raise CronError(f"a cron expression of {len(text)} characters is longer than {_LONGEST}")
    second, minute, hour, day, month, week, year = fields
    return Cron(
        text=" ".join(fields),
        seconds=_values(_SECOND, second),
        minutes=_values(_MINUTE, minute),
        hours=_values(_HOUR, hour),
        months=_values(_MONTH, month),
        years=_values(_YEAR, year),
        falls_on=_day_test(day, week),
    )


def _values(field: _Field, text: str) -> tuple[int, ...]:
    return tuple(sorted({value for item in text.split(",") for value in _item(field, item)}))


def _item(field: _Field, text: str) -> range:
    """One of `*`, `5`, `2-9`, `MON-FRI`, each with a `/step` or without; `5/10` is every tenth from the fifth on."""
    found = _ITEM.fullmatch(text)
    if found is None:
        raise _unreadable(field, text)
    step = int(found["step"] or 1)
    if found["all"]:
        first, last = field.low, field.high
    else:
        first = _number(field, found["first"])
        last = _number(field, found["last"]) if found["last"] else (field.high if found["step"] else first)
    if step < 1 or last < first:
        raise _unreadable(field, text)
    return range(first, last + 1, step)


def _number(field: _Field, text: str) -> int:
    if text.upper() in field.names:
        return field.low + field.names.index(text.upper())
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    if not field.low <= number <= field.high:
        raise _unreadable(field, text)
    return number


def _unreadable(field: _Field, text: str) -> CronError:
    named = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return CronError(
        f"cron: {text!r} cannot be the {field.name}: {field.low} to {field.high}{named}, with , - * /"
        + {"day": " or ? L LW 10W", "week": " or ? 5L 6#3"}.get(field.name, "")
    )


def _day_test(day: str, week: str) -> DayTest:
    """`*` and `?` name nothing; of two fields that name something, either will do (583/9708)."""
    tests = [
        _any_of([test(item) for item in field.split(",")])
        for field, test in ((day, _day_item), (week, _week_item))
        if field not in ("*", "?")
    ]
    return _any_of(tests) if tests else lambda _: True


def _any_of(tests: list[DayTest]) -> DayTest:
    return lambda day: any(test(day) for test in tests)


def _day_item(text: str) -> DayTest:
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: day == _nearest_workday(day, _length(day))
    if text.endswith("W"):
        number = _number(_DAY, text[:-1])
        return lambda day: number <= _length(day) and day == _nearest_workday(day, number)
    values = frozenset(_item(_DAY, text))
    return lambda day: day.day in values


def _week_item(text: str) -> DayTest:
    if text.endswith("L") and len(text) > 1:
        weekday = _number(_WEEK, text[:-1])
        return lambda day: _weekday(day) == weekday and day.day > _length(day) - 7
    if "#" in text:
        name, _, nth = text.partition("#")
        weekday = _number(_WEEK, name)
        if nth not in ("1", "2", "3", "4", "5"):
            raise _unreadable(_WEEK, text)
        return lambda day: _weekday(day) == weekday and (day.day + 6) // 7 == int(nth)
    values = frozenset(_item(_WEEK, text))
    return lambda day: _weekday(day) in values


def _weekday(day: date) -> int:
    return (day.weekday() + 1) % 7


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _nearest_workday(day: date, number: int) -> date:
    """The workday nearest to the `number`-th of the day's month, in that month."""
    wanted = day.replace(day=number)
    if wanted.weekday() == 5:
        return wanted - timedelta(1) if number > 1 else wanted + timedelta(2)
    if wanted.weekday() == 6:
        return wanted + timedelta(1) if number < _length(day) else wanted - timedelta(2)
    return wanted
