"""Judgments about permissions, pure: what a recording says of the table, and whether a row of the table is least.

The sandbox's own table, written from what Microsoft publishes, is the measure; a question that no source settles is
judged on both of its sides.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from shared.permissions import CALLS, Call, Registration, SourceMode, needed
from tests.sandbox.graph.permissions import AS_LIKELY, UNSETTLED, allowed, told_all
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.recorder import Recorded
from tests.sandbox.switches import Switches

SIDES: tuple[Switches, ...] = (AS_LIKELY, *(Switches([switch_id]) for switch_id in UNSETTLED))
"""Every answer that changes what a call accepts, each by itself."""

_REFUSED = (401, 403)
_REGISTRATIONS = {app_id: registration for registration, app_id in CLIENT_IDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A recorded call: who made it, what the token said, the row of the table, the answer."""

    registration: Registration
    roles: frozenset[str]
    call: Call
    status: int


def made(entries: Iterable[Recorded]) -> list[Made]:
    """The calls of a recording. One of nobody we know, or without a row for who made it, is an AssertionError."""
    found: list[Made] = []
    for entry in entries:
        if entry.service != "graph":
            continue
        assert entry.app_id in _REGISTRATIONS, f"{entry.app_id}: {entry.method} {entry.path}"
        registration = _REGISTRATIONS[entry.app_id]
        rows = [one for one in CALLS if _is_for(one, registration, entry)]
        assert len(rows) == 1, f"{registration.value}: {entry.method} {entry.path}: {len(rows)} rows"
        found.append(Made(registration=registration, roles=frozenset(entry.roles), call=rows[0], status=entry.status))
    return found


def surplus(calls: Iterable[Made], mode: SourceMode) -> list[str]:
    """Calls with more or less in the token than the table gives the registration, and calls that the mode does not
    have.
    """
    return sorted(
        {
            f"{one.registration.value} ({mode.value}): {_label(one.call)} with {sorted(one.roles)}"
            for one in calls
            if one.roles != set(needed(one.registration, mode)) or not one.call.needs(mode)
        }
    )


def weaknesses(call: Call, mode: SourceMode) -> list[str]:
    """Why a row is not least: too little for some answer, or more than any answer asks for."""
    names = frozenset(call.needs(mode))
    if not names:
        return []
    if not _enough_everywhere(call, names):
        return [f"{_label(call)}: {sorted(names)} is not enough"]
    needless = [name for name in sorted(names) if _enough_everywhere(call, names - {name})]
    return [f"{_label(call)}: {name} is not needed" for name in needless]


def idle(calls: Collection[Call], registration: Registration, mode: SourceMode) -> list[str]:
    """Permissions of a registration without which each of its calls would do as well."""
    rows = [one for one in calls if registration in one.registrations and one.needs(mode)]
    held = {name for one in rows for name in one.needs(mode)}
    return [name for name in sorted(held) if all(_enough_everywhere(one, held - {name}) for one in rows)]


def could_miss(registration: Registration, permission: str, mode: SourceMode, switches: Switches) -> bool:
    """Whether, by the table alone, some call of the registration would be refused without the permission."""
    held = frozenset(needed(registration, mode))
    rows = [one for one in CALLS if registration in one.registrations and one.needs(mode)]
    return any(_misses(one, held, permission, switches) for one in rows)


def missed(calls: Iterable[Made], registration: Registration, permission: str, switches: Switches) -> list[Call]:
    """The calls of a recording that would be refused, or were, without the permission: each once, in order."""
    mine = [one for one in calls if one.registration is registration]
    return list(dict.fromkeys(one.call for one in mine if _misses(one.call, one.roles, permission, switches)))


def refused(calls: Iterable[Made], registration: Registration, permission: str, switches: Switches) -> Sequence[Call]:
    """The calls that were refused for want of the permission, though the token said that it was there."""
    answered = [one for one in calls if one.status in _REFUSED and permission in one.roles]
    return missed(answered, registration, permission, switches)


def key(call: Call) -> str:
    """The row of the sandbox's own table."""
    return f"{call.method} {call.path.replace("'", '')}"


def _misses(call: Call, held: frozenset[str], permission: str, switches: Switches) -> bool:
    """Whether the call's row names the permission, and the vendor refuses the call without it only."""
    return (
        permission in (*call.permissions, *(call.adopted or ()))
        and allowed(key(call), held, switches)
        and not allowed(key(call), held - {permission}, switches)
    )


def _enough_everywhere(call: Call, names: Collection[str]) -> bool:
    return all(allowed(key(call), names, side) for side in SIDES) and told_all(key(call), names)


def _is_for(call: Call, registration: Registration, entry: Recorded) -> bool:
    return (
        registration in call.registrations
        and call.method == entry.method
        and _pattern(call.path).fullmatch(entry.path.removeprefix("/v1.0")) is not None
    )


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{id\}", r"[^/()']+"), re.IGNORECASE)


def _label(call: Call) -> str:
    return f"{call.method} {call.path}"
