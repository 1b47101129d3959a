"""Half a year after the onboarding: every night really comes, by the app's own hourly timers, and what it renewed is asked
at the API. Between two nights the clock jumps, for nothing happens there.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import msgspec

from tests.sandbox.demo.http import Answer, Patient
from tests.sandbox.demo.screen import Screen
from tests.sandbox.demo.view import TenantView, read_view
from tests.sandbox.world import World

HALF_A_YEAR = 183
_NIGHT = time(2, 35, 2, tzinfo=UTC)
"""A moment after both of the app's hourly timers are due: that of the nightly comparison, and the renewal's."""

_NIGHT_SECONDS = 60.0
_LOOKS = 8
"""A night whose beginning failed is begun an hour later, as on a real day; it has until the morning."""

_RENEWED = ("extended", "renewed")


class _Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    ended: datetime | None = None


class _Day(msgspec.Struct, frozen=True, kw_only=True):
    runs: tuple[_Run, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


class NightMissingError(Exception):
    """A night did not come, or the record could not be read after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A night in which something was renewed, and how many eligibilities."""

    date: str
    renewed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One eligibility: when it would have ended, and when it ends now. None: it is gone, or has no end."""

    principal_id: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfYear:
    """What became of the tenant. `passed`: nights that came to their end."""

    began: datetime
    ended: datetime
    passed: int
    renewed: tuple[Night, ...]
    eligibilities: tuple[Kept, ...]
    vendor_calls: int

    @property
    def is_alive(self) -> bool:
        """Whether every eligibility is in force, and ends later than it would have."""
        return bool(self.eligibilities) and all(
            one.before is not None and one.after is not None and one.before < one.after and self.ended < one.after
            for one in self.eligibilities
        )


class Nights:
    """Lets nights pass in a world whose tenant is Ready. `view` is the record after them."""

    def __init__(self, world: World, screen: Screen, view: TenantView) -> None:
        self._world, self._screen = world, screen
        self._before = self.view = view
        self._operator = Patient(world.operator_token())

    async def run(self, days: int = HALF_A_YEAR, *, every: int = 1) -> HalfYear:
        """To the end, or cancelled from outside. With `every` the app is down for the nights between.

        Raises NightMissingError.
        """
        began, calls = self._world.clock.now(), len(self._world.clouds.recorder.entries)
        nights = days // every
        down = f" (for the others, {every - 1} of {every}, it is down)" if every > 1 else ""
        self._screen.say(f"{days} days pass: the app's hourly timers begin {nights} nights{down}")
        renewed: list[Night] = []
        try:
            for _ in range(nights):
                night = await self._night(every)
                if night.renewed:
                    self.view = await self._record()
                    renewed.append(night)
                    self._screen.say(f"the night of {night.date}: {night.renewed} renewed; {_ends(self.view)}")
            self.view = await self._record()
        finally:
            await self._operator.close()
        return HalfYear(
            began=began,
            ended=self._world.clock.now(),
            passed=nights,
            renewed=tuple(renewed),
            eligibilities=compared(self._before, self.view),
            vendor_calls=len(self._world.clouds.recorder.entries) - calls,
        )

    async def _night(self, every: int) -> Night:
        """The next night, or one some nights later, until its renewal is over."""
        clock = self._world.clock
        clock.advance_to(begin := following(clock.now()) + timedelta(days=every - 1))
        await self._world.host.idle(_NIGHT_SECONDS)
        date = f"{begin:%Y-%m-%d}"
        for _ in range(_LOOKS):
            answer = await self._get(f"/api/renewals/{date}")
            if answer.status == 200:
                day = msgspec.json.decode(answer.body, type=_Day)
                if all(run.ended for run in day.runs):
                    return Night(date=date, renewed=sum(day.counts.get(name, 0) for name in _RENEWED))
            clock.advance(timedelta(hours=1))
            await self._world.host.idle(_NIGHT_SECONDS)
        raise NightMissingError(f"the renewal of {date} did not come to its end; the answer was {answer.status}")

    async def _record(self) -> TenantView:
        answer = await self._get(f"/api/tenants/{self._before.tenant_id}")
        if answer.status != 200:
            raise NightMissingError(f"the record answered {answer.status}: {answer.text}")
        return read_view(answer.body)

    async def _get(self, path: str) -> Answer:
        async with self._world.looking():
            return await self._operator.get(f"{self._world.host.url}{path}")


def following(now: datetime) -> datetime:
    """When the next night begins."""
    tonight = datetime.combine(now.date(), _NIGHT)
    return tonight if tonight > now else tonight + timedelta(days=1)


def compared(before: TenantView, after: TenantView) -> tuple[Kept, ...]:
    """The eligibilities of two records, by who holds them."""
    now = {one.principal_id: one.end_date_time for one in after.eligibilities}
    return tuple(
        Kept(principal_id=one.principal_id, before=one.end_date_time, after=now.get(one.principal_id))
        for one in before.eligibilities
    )


def _ends(view: TenantView) -> str:
    ends = sorted(f"{one.end_date_time:%Y-%m-%d}" for one in view.eligibilities if one.end_date_time)
    return f"they end on {', '.join(dict.fromkeys(ends))}" if ends else "none is left"
