"""What offboarding puts back, property by property: what was there before our first write, unless it is not as we left
it. Pure.

Three images decide: before our first write, as our latest write left it, and now. What is now as we left it goes back to
what it was; what is neither as we left it nor as it was, somebody else changed: it is named, and left alone.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shared.graph.shapes import IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.subjects import intent_key
from shared.tenants.record import Tenant

OURS: Mapping[str, tuple[str, ...]] = {
    "automaticUserConsentSettings": ("inboundAllowed", "outboundAllowed"),
    "inboundTrust": ("isMfaAccepted", "isCompliantDeviceAccepted", "isHybridAzureADJoinedDeviceAccepted"),
}
"""The properties of a partner that acts 3 and 5 may change: flags in complex values."""

_UNSEEN = "never seen"
"""How a property was left by a write that was sent and never shown: nothing is equal to it."""

_OFF_IS_UNSET = frozenset({"isServiceProvider", "isInMultiTenantOrganization"})


class Images[Image](msgspec.Struct, frozen=True, kw_only=True):
    """An object before our first write, and as our latest one left it; None where it was not there, or where what we
    sent was never seen.
    """

    before: Image | None
    left: Image | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A property that is not put back, as JSON values: before our first write, as we left it, now."""

    what: str
    before: object
    left: object
    now: object

    @property
    def is_ours(self) -> bool:
        """Whether we changed it, and nobody else since."""
        return self.left != self.before and self.now == self.left

    @property
    def is_strange(self) -> bool:
        """Whether we changed it, and somebody else since."""
        return self.left != self.before and self.now not in (self.left, self.before)


GONE = Difference(what="", before="there", left="there", now="gone")
"""An object that was there before us, and was deleted since."""


class SyncBack(msgspec.Struct, frozen=True, kw_only=True):
    """What puts an identity synchronization back: delete it, or set `allowed`, or nothing; and what is left alone."""

    delete: bool = False
    allowed: bool | None = None
    differing: tuple[Difference, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is to be sent."""
        return not self.delete and self.allowed is None


def images[Image](tenant: Tenant, where: TenantId, object_name: str, kind: type[Image]) -> Images[Image] | None:
    """The two images of an object that our writes kept; None where we wrote nothing."""
    intent = tenant.intents.get(intent_key(where, object_name))
    if intent is None:
        return None
    before, left = (msgspec.json.decode(one, type=kind | None) for one in (intent.before, intent.after))
    return Images(before=before, left=left)


def changes_back(kept: Images[Partner], now: Partner) -> dict[str, object]:
    """The PATCH that puts a partner's settings back. A value that was not set goes back as null: it is inherited again."""
    changes: dict[str, object] = {}
    for name, flags in _flags(kept, now):
        if any(one.is_ours for one in flags.values()):
            whole = {flag: one.before if one.is_ours else one.now for flag, one in flags.items()}
            changes[name] = whole if any(value is not None for value in whole.values()) else None
    return changes


def changed_by_others(kept: Images[Partner], now: Partner) -> tuple[Difference, ...]:
    """Settings of ours that somebody else changed since. They are left alone."""
    return tuple(one for _, flags in _flags(kept, now) for one in flags.values() if one.is_strange)


def still_ours(kept: Images[Partner], now: Partner) -> tuple[Difference, ...]:
    """Settings that are as we left them, and so not put back yet."""
    return tuple(one for _, flags in _flags(kept, now) for one in flags.values() if one.is_ours)


def as_left(kept: Images[Partner], now: Partner | None) -> Partner | None:
    """The partner as our writes leave it: what went back is as before, the rest as it was then. What somebody else changed
    stays told from ours, however often this is asked.
    """
    if now is None or kept.left is None:
        return now
    whole = msgspec.to_builtins(kept.left)
    for name, flags in _flags(kept, now):
        values = {flag: one.before if one.now == one.before else one.left for flag, one in flags.items()}
        whole[name] = values if any(value is not None for value in values.values()) else None
    return msgspec.convert(whole, type=Partner)


def changed_since(left: Partner | None, now: Partner) -> tuple[Difference, ...]:
    """Every property of a partner that we made which is not as we left it. None: it may be deleted."""
    ours = _set(left or Partner(tenant_id=now.tenant_id))
    found = _set(now)
    return tuple(
        Difference(what=path, before=None, left=ours.get(path), now=found.get(path))
        for path in sorted({*ours, *found})
        if ours.get(path) != found.get(path)
    )


def sync_back(kept: Images[IdentitySynchronization], now: IdentitySynchronization | None) -> SyncBack:
    """What puts an identity synchronization back. One that we made is deleted while it is as we left it; one that
    somebody changed stays, and users are not let in by it any more.
    """
    before, left = kept.before, kept.left
    if now is None:
        return SyncBack(differing=(GONE,) if before is not None else ())
    ours = left is not None and left.allowed and now.allowed
    if before is not None:
        return SyncBack(allowed=False if ours and not before.allowed else None)
    differing = tuple(_changed_in_sync(left, now))
    if not differing:
        return SyncBack(delete=True)
    return SyncBack(allowed=False if ours else None, differing=differing)


def sync_as_left(
    kept: Images[IdentitySynchronization], now: IdentitySynchronization | None
) -> IdentitySynchronization | None:
    """The identity synchronization as we leave it: a name that somebody else gave it stays told from ours."""
    if now is None or kept.left is None or kept.before is not None:
        return now
    return msgspec.structs.replace(now, display_name=kept.left.display_name)


def _changed_in_sync(left: IdentitySynchronization | None, now: IdentitySynchronization) -> Iterator[Difference]:
    name, allowed = (left.display_name, left.allowed) if left is not None else (None, False)
    if now.display_name != name:
        yield Difference(what="displayName", before=None, left=name, now=now.display_name)
    if now.allowed != allowed:
        yield Difference(what="userSyncInbound.isSyncAllowed", before=None, left=allowed, now=now.allowed)


def _flags(kept: Images[Partner], now: Partner) -> Iterable[tuple[str, dict[str, Difference]]]:
    """Each complex value of ours, with its flags in the three images."""
    for name, flags in OURS.items():
        before, left, found = (_complex(image, name) for image in (kept.before, kept.left, now))
        unseen = {} if kept.left is not None else dict.fromkeys(flags, _UNSEEN)
        yield (
            name,
            {
                flag: Difference(
                    what=f"{name}.{flag}",
                    before=before.get(flag),
                    left=left.get(flag, unseen.get(flag)),
                    now=found.get(flag),
                )
                for flag in flags
            },
        )


def _complex(image: Partner | None, name: str) -> dict[str, object]:
    return (msgspec.to_builtins(image).get(name) or {}) if image is not None else {}


def _set(partner: Partner) -> dict[str, object]:
    """Every property that is set, by its dotted path. What is not set is inherited, however Graph tells that."""
    return {
        path: value
        for path, value in _flat(msgspec.to_builtins(partner), "")
        if value is not None and not (path in _OFF_IS_UNSET and value is False)
    }


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for name, part in value.items():
        yield from _flat(part, f"{path}.{name}" if path else str(name))
