"""A picture of all that two tenants hold, by truth, to be compared with a later one: every object, every property.

Left out: what only tells of the past (logs, requests of PIM), deleted items, which the services keep for 30 days, and our
own registrations, which come and go by an administrator's hand.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass

from tests.sandbox.graph.models.ground import Replicated
from tests.sandbox.graph.models.pim_records import Schedule
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.world import World

type Picture = Mapping[str, object]

_PAST = frozenset({"provisioning_log", "deleted_users", "_deleted", "requests"})
_NO_STATE = frozenset({"_ground", "_directory", "_applications", "_licences", "_tenant_id"})


def picture(world: World) -> Picture:
    """Both tenants, by dotted path."""
    found: dict[str, object] = {}
    for tenant in (world.contoso, world.fabrikam):
        ours = {one.id for one in tenant.applications.principals.values() if one.app_id in CLIENT_IDS.values()}
        given = {one.id for one in tenant.applications.assignments.values() if one.principal_id in ours}
        left_out = tuple(f"{tenant.display_name}.applications.{kind}." for kind in ("principals", "assignments"))
        found |= {
            path: value
            for path, value in _flat(_plain(tenant), tenant.display_name)
            if not (path.startswith(left_out) and path.split(".")[3] in ours | given)
        }
    return found


def changes(before: Picture, after: Picture) -> dict[str, tuple[object, object]]:
    """What is not as it was: path, was, is."""
    return {
        path: (before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    }


def _plain(value: object) -> object:
    """State as plain values. What was removed, or never set, is not there."""
    if isinstance(value, Replicated):
        return _plain(value.latest)
    if isinstance(value, Schedule) and value.removed_at is not None:
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str | bytes | None | int | float):
        return value
    if isinstance(value, set | frozenset):
        return sorted(str(one) for one in value)
    if isinstance(value, Collection):
        return [_plain(one) for one in value]
    names = (
        [one.name for one in fields(value)] if is_dataclass(value) else list(vars(value)) if _has_state(value) else []
    )
    kept = [name for name in names if name not in _PAST | _NO_STATE]
    return {name: _plain(getattr(value, name)) for name in kept} if names else str(value)


def _has_state(value: object) -> bool:
    return isinstance(value, Tenant) or type(value).__module__.startswith("tests.sandbox.graph.models")


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        if value is not None:
            yield path, value
        return
    for name, part in value.items():
        yield from _flat(part, f"{path}.{name}")
