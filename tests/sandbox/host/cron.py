"""Six-field NCRONTAB: second minute hour day month weekday. Lists, ranges, steps, names; 0 and 7 are Sunday.

Day and weekday must both match, as NCrontab has it (Unix cron takes either).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_LONGEST_GAP_DAYS = 366 * 8  # 29 February, over a century that has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The values at which each field matches."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an expression of six fields; five mean second 0. Raises ValueError."""
        fields = text.split()
        if len(fields) == 5:
            fields = ["0", *fields]
        if len(fields) != 6:
            raise ValueError(f"a schedule has six fields: {text!r}")
        return cls(
            seconds=_field(fields[0], 0, 59, {}),
            minutes=_field(fields[1], 0, 59, {}),
            hours=_field(fields[2], 0, 23, {}),
            days=_field(fields[3], 1, 31, {}),
            months=_field(fields[4], 1, 12, _MONTHS),
            weekdays=frozenset(day % 7 for day in _field(fields[5], 0, 7, _WEEKDAYS)),
        )

    def after(self, moment: datetime) -> datetime:
        """The first match after the moment."""
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = moment.replace(hour=0, minute=0, second=0)
        for ahead in range(_LONGEST_GAP_DAYS):
            candidate = day + timedelta(days=ahead)
            if (
                candidate.month in self.months
                and candidate.day in self.days
                and candidate.isoweekday() % 7 in self.weekdays
                and (found := self._within(candidate, moment)) is not None
            ):
                return found
        raise ValueError("the schedule never matches")

    def _within(self, day: datetime, earliest: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            if day.replace(hour=hour, minute=59, second=59) < earliest:
                continue
            for minute in sorted(self.minutes):
                if day.replace(hour=hour, minute=minute, second=59) < earliest:
                    continue
                for second in sorted(self.seconds):
                    found = day.replace(hour=hour, minute=minute, second=second)
                    if found >= earliest:
                        return found
        return None


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    def value(word: str) -> int:
        number = names.get(word.lower())
        number = int(word) if number is None else number
        if not low <= number <= high:
            raise ValueError(f"{word} is not between {low} and {high}")
        return number

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        elif "-" in span:
            begin, _, end = span.partition("-")
            first, last = value(begin), value(end)
        else:
            first = value(span)
            last = high if step else first
        found.update(range(first, last + 1, int(step) if step else 1))
    return frozenset(found)
