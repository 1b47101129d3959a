"""What offboarding puts back: by a table, and for whatever three images there may be."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graph.shapes import AutomaticRedemption, B2BSetting, IdentitySynchronization, InboundTrust, Partner
from shared.tenants.record import Trust
from shared.writes import desired, restoring
from shared.writes.restoring import GONE, Images, SyncBack
from tests.unit.making import SOURCE, partners, trusts

_UNSET = Partner(tenant_id=SOURCE)


def partner(*, mfa: bool | None = None, inbound: bool | None = None, **more: Any) -> Partner:
    return Partner(
        tenant_id=SOURCE,
        inbound_trust=InboundTrust(is_mfa_accepted=mfa),
        automatic_user_consent_settings=AutomaticRedemption(inbound_allowed=inbound),
        **more,
    )


def patched(now: Partner, changes: dict[str, Any]) -> Partner:
    """What a PATCH makes of a partner: a null clears."""
    return msgspec.convert({**msgspec.to_builtins(now), **changes}, type=Partner)


def flags(image: Partner | None) -> dict[str, bool | None]:
    """Our flags; what is not set is None, however that is told."""
    whole = msgspec.to_builtins(image) if image else {}
    return {
        f"{name}.{flag}": (whole.get(name) or {}).get(flag) for name, names in restoring.OURS.items() for flag in names
    }


_TABLE = [
    # before, left, now: put back, strange
    (None, True, True, True, False),
    (False, True, True, True, False),
    (None, True, None, False, False),
    (False, True, False, False, False),
    (None, True, False, False, True),
    (False, True, None, False, True),
    (True, True, False, False, False),
    (True, True, None, False, False),
    (None, None, True, False, False),
    (True, False, False, True, False),
    (None, False, False, True, False),
    (None, False, True, False, True),
]


@pytest.mark.parametrize(("before", "left", "now", "back", "strange"), _TABLE)
def test_a_flag_goes_back_only_as_we_left_it_and_is_named_when_it_is_neither(
    *, before: bool | None, left: bool | None, now: bool | None, back: bool, strange: bool
) -> None:
    kept = Images(before=partner(mfa=before), left=partner(mfa=left))
    found = partner(mfa=now)

    changes = restoring.changes_back(kept, found)
    named = restoring.changed_by_others(kept, found)

    assert (bool(changes), bool(named)) == (back, strange)
    if strange:
        assert [(one.what, one.before, one.left, one.now) for one in named] == [
            ("inboundTrust.isMfaAccepted", before, left, now)
        ]


def test_a_value_of_which_nothing_was_set_before_goes_back_as_a_whole() -> None:
    left = partner(mfa=True, inbound=True)

    assert restoring.changes_back(Images(before=_UNSET, left=left), left) == {
        "automaticUserConsentSettings": None,
        "inboundTrust": None,
    }


def test_what_else_is_in_a_value_is_sent_as_it_is() -> None:
    """A value may be replaced as a whole, so nothing of it is left out."""
    left = msgspec.structs.replace(
        _UNSET, inbound_trust=InboundTrust(is_mfa_accepted=True, is_compliant_device_accepted=True)
    )
    before = msgspec.structs.replace(_UNSET, inbound_trust=InboundTrust(is_compliant_device_accepted=True))

    assert restoring.changes_back(Images(before=before, left=left), left) == {
        "inboundTrust": {
            "isMfaAccepted": None,
            "isCompliantDeviceAccepted": True,
            "isHybridAzureADJoinedDeviceAccepted": None,
        }
    }


@given(before=partners, trust=trusts)
def test_what_onboarding_changes_and_nobody_else_is_in_the_end_as_it_was(before: Partner, trust: Trust) -> None:
    left = patched(before, desired.changes_to_trust_source(before, trust, InboundTrust(is_mfa_accepted=False)))
    kept = Images(before=before, left=left)

    back = patched(left, restoring.changes_back(kept, left))

    assert flags(back) == flags(before)
    assert restoring.changed_by_others(kept, left) == ()
    assert restoring.changes_back(kept, back) == {}


@given(before=partners, left=partners, now=partners)
def test_only_what_is_as_we_left_it_is_touched_and_once(before: Partner, left: Partner, now: Partner) -> None:
    kept = Images(before=before, left=left)

    after = patched(now, restoring.changes_back(kept, now))

    was, ours, found = flags(before), flags(left), flags(now)
    expected = {
        name: was[name] if ours[name] != was[name] and found[name] == ours[name] else found[name] for name in was
    }
    assert flags(after) == expected
    assert restoring.changes_back(kept, after) == {}
    assert restoring.still_ours(kept, after) == ()


@given(before=partners, left=partners, now=partners)
def test_what_somebody_changed_stays_told_from_ours_however_often_it_is_asked(
    before: Partner, left: Partner, now: Partner
) -> None:
    """The image that a write keeps must not make theirs ours."""
    kept = Images(before=before, left=left)
    named = restoring.changed_by_others(kept, now)
    after = patched(now, restoring.changes_back(kept, now))

    again = Images(before=before, left=restoring.as_left(kept, after))

    assert restoring.changed_by_others(again, after) == named
    assert restoring.changes_back(again, after) == {}


@given(left=partners, now=partners)
def test_a_partner_that_we_made_may_go_only_while_every_property_is_as_we_left_it(left: Partner, now: Partner) -> None:
    assert restoring.changed_since(left, left) == ()
    assert (restoring.changed_since(left, now) == ()) == (flags(left) == flags(now))


@pytest.mark.parametrize("name", set(Partner.__struct_fields__) - {"tenant_id"})
def test_every_property_of_a_partner_counts(name: str) -> None:
    """One that is not looked at could carry somebody's settings to the grave."""
    kind = Partner.__annotations__[name]
    value = msgspec.convert(
        next(
            one
            for one in (
                True,
                {
                    "isMfaAccepted": True,
                    "inboundAllowed": True,
                    "users": {"accessType": "allowed"},
                    "usersAndGroups": {},
                },
            )
            if _fits(one, kind)
        ),
        type=kind,
    )

    assert restoring.changed_since(_UNSET, msgspec.structs.replace(_UNSET, **{name: value}))


def test_what_is_not_set_is_not_set_however_graph_tells_it() -> None:
    told = msgspec.structs.replace(
        _UNSET,
        inbound_trust=InboundTrust(),
        automatic_user_consent_settings=AutomaticRedemption(),
        b2b_collaboration_inbound=B2BSetting(),
        is_in_multi_tenant_organization=False,
        is_service_provider=False,
    )

    assert restoring.changed_since(_UNSET, told) == restoring.changed_since(told, _UNSET) == ()


@given(before=partners, now=partners)
def test_what_was_sent_and_never_seen_is_named_and_left_alone(before: Partner, now: Partner) -> None:
    kept: Images[Partner] = Images(before=before, left=None)

    assert restoring.changes_back(kept, now) == {}
    named = {one.what for one in restoring.changed_by_others(kept, now)}
    assert named == {name for name, value in flags(now).items() if value != flags(before)[name]}


def sync(name: str = "Contoso", *, allowed: bool = True) -> IdentitySynchronization:
    told = {"displayName": name, "userSyncInbound": {"isSyncAllowed": allowed}}
    return msgspec.convert(told, type=IdentitySynchronization)


_SYNCS = [
    (None, sync(), sync(), SyncBack(delete=True), []),
    (None, sync(), None, SyncBack(), []),
    (None, sync(), sync("Theirs"), SyncBack(allowed=False), ["displayName"]),
    (None, sync(), sync(allowed=False), SyncBack(), ["userSyncInbound.isSyncAllowed"]),
    (None, None, sync(), SyncBack(), ["displayName", "userSyncInbound.isSyncAllowed"]),
    (sync("Old", allowed=False), sync("Old"), sync("Old"), SyncBack(allowed=False), []),
    (sync("Old", allowed=False), sync("Old"), sync("New"), SyncBack(allowed=False), []),
    (sync("Old", allowed=False), sync("Old"), sync("Old", allowed=False), SyncBack(), []),
    (sync("Old"), sync("Old"), sync("Old"), SyncBack(), []),
    (sync("Old", allowed=False), sync("Old"), None, SyncBack(), [""]),
]


@pytest.mark.parametrize(("before", "left", "now", "back", "named"), _SYNCS)
def test_an_identity_synchronization_goes_back(
    before: IdentitySynchronization | None,
    left: IdentitySynchronization | None,
    now: IdentitySynchronization | None,
    back: SyncBack,
    named: list[str],
) -> None:
    found = restoring.sync_back(Images(before=before, left=left), now)

    assert (found.delete, found.allowed) == (back.delete, back.allowed)
    assert [one.what for one in found.differing] == named
    assert (GONE in found.differing) == (named == [""])


@given(
    before=st.sampled_from([None, sync("Old", allowed=False), sync("Old")]),
    left=st.sampled_from([sync(), sync("Old")]),
    now=st.sampled_from([None, sync(), sync("Theirs"), sync(allowed=False)]),
)
def test_an_identity_synchronization_is_put_back_once(
    before: IdentitySynchronization | None, left: IdentitySynchronization, now: IdentitySynchronization | None
) -> None:
    kept = Images(before=before, left=left)
    back = restoring.sync_back(kept, now)
    if back.is_nothing or now is None:
        return  # nothing is sent, so nothing is kept
    after = None if back.delete else sync(now.display_name or "", allowed=False)

    again = restoring.sync_back(Images(before=before, left=restoring.sync_as_left(kept, after)), after)

    assert again.is_nothing
    assert [one.what for one in again.differing] == [one.what for one in back.differing if not back.delete]


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, type=kind)
    except msgspec.ValidationError:
        return False
    return True
