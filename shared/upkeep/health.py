"""How a tenant that is Ready stands, told from what a night reads: what is not as we left it, property by property. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from shared.eligibility.record import Eligibility
from shared.graph.shapes import IdentitySynchronization, Partner
from shared.graph.sync_shapes import Job
from shared.permissions import Registration
from shared.tenants.record import Drift

SOURCE, TARGET = "source", "target"

STILL_WORKS = "Redemption and inbound sync still work; other settings of the target are not visible."
SETUP_STAYS = (
    f"{Registration.SETUP.value} is still consented, though its work is done: "
    "the target's administrator should delete it."
)
_THERE, _GONE = "there", "gone"
_SAME_END = timedelta(days=1)


class Settings[Image](msgspec.Struct, frozen=True, kw_only=True):
    """One object of the cross-tenant access settings: as our latest write left it (None: we wrote nothing), and now."""

    left: Image | None
    now: Image | None


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What a night read of a tenant. `target` settings None: Setup is not consented, so they are not visible."""

    partner_in_source: Settings[Partner]
    application: bool
    job: Job | None
    credentials: str | None
    partner_in_target: Settings[Partner] | None
    sync_in_target: Settings[IdentitySynchronization] | None
    eligibilities: Mapping[str, Eligibility]
    in_force: Mapping[str, datetime | None]


def drift(observed: Observed) -> tuple[Drift, ...]:
    """What is not as it was left: where, which, was, is."""
    found = [
        *_settings(SOURCE, "partner", observed.partner_in_source),
        *_synchronization(observed),
        *_eligibilities(observed),
    ]
    if observed.partner_in_target is not None:
        found += _settings(TARGET, "partner", observed.partner_in_target)
    if observed.sync_in_target is not None:
        found += _settings(TARGET, "identity synchronization", observed.sync_in_target)
    return tuple(found)


def notes(observed: Observed) -> tuple[str, ...]:
    """What is worth knowing, and no drift."""
    if observed.partner_in_target is not None:
        return (SETUP_STAYS,)
    return (STILL_WORKS,) if observed.credentials is None and observed.application else ()


def _settings[Image](where: str, name: str, settings: Settings[Image]) -> Iterable[Drift]:
    if settings.left is None:
        return
    if settings.now is None:
        yield Drift(where=where, what=name, was=_THERE, now=_GONE)
        return
    was, now = _flat(settings.left), _flat(settings.now)
    for path in sorted({*was, *now}):
        if was.get(path) != now.get(path):
            yield Drift(where=where, what=f"{name} {path}", was=_told(was.get(path)), now=_told(now.get(path)))


def _synchronization(observed: Observed) -> Iterable[Drift]:
    if not observed.application:
        yield Drift(where=SOURCE, what="enterprise application", was=_THERE, now=_GONE)
        return
    if observed.job is None:
        yield Drift(where=SOURCE, what="synchronization job", was=_THERE, now=_GONE)
        return
    if not observed.job.started:
        state = observed.job.schedule.state if observed.job.schedule else None
        yield Drift(where=SOURCE, what="synchronization job schedule.state", was="Active", now=_told(state))
    if observed.job.quarantine is not None:
        yield Drift(
            where=SOURCE, what="synchronization job status", was="Active", now=f"Quarantine: {observed.job.quarantine}"
        )
    if observed.credentials is not None:
        yield Drift(where=SOURCE, what="synchronization credentials", was="valid", now=observed.credentials)


def _eligibilities(observed: Observed) -> Iterable[Drift]:
    for principal, row in sorted(observed.eligibilities.items()):
        name = f"eligibility of {principal}"
        if principal not in observed.in_force:
            yield Drift(where=TARGET, what=name, was=_until(row.end), now=_GONE)
        elif _ends_earlier(row.end, observed.in_force[principal]):
            yield Drift(where=TARGET, what=name, was=_until(row.end), now=_until(observed.in_force[principal]))


def _ends_earlier(left: datetime | None, now: datetime | None) -> bool:
    return now is not None and (left is None or now < left - _SAME_END)


def _until(end: datetime | None) -> str:
    return "permanent" if end is None else f"until {end:%Y-%m-%d}"


def _flat(value: object, path: str = "") -> dict[str, object]:
    """Every property by its dotted path; what is not set is left out, as Graph sometimes does."""
    told = msgspec.to_builtins(value)
    if not isinstance(told, dict):
        return {} if told is None else {path: told}
    found: dict[str, object] = {}
    for name, part in told.items():
        found |= _flat(part, f"{path}.{name}" if path else str(name))
    return found


def _told(value: object) -> str:
    return "not set" if value is None else msgspec.json.encode(value).decode().strip('"')
