"""What somebody changed since the onboarding is left as it is, and named, property by property; the rest goes back."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.flows.letting_go import let_go
from tests.flows.pictures import changes, picture
from tests.flows.scene import Scene
from tests.sandbox.graph.models.cross_tenant import Consent, CrossTenantAccess, IdentitySync, Partner, Trust

pytestmark = pytest.mark.sampled(2)

type Act = Callable[[CrossTenantAccess, Partner], None]

_PATCH = "PATCH /v1.0/policies/crossTenantAccessPolicy/partners/{id}"
_PARTNERS_OWN = {"usersAndGroups": None, "applications": {"accessType": "blocked", "targets": []}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What somebody did to the entry of the other tenant, and what offboarding says of it."""

    act: Act
    named: dict[str, tuple[str, str]]
    """What, and its values as we left it and now, as JSON."""
    kept: dict[str, object] = field(default_factory=dict)
    """Properties that stay as they set them, by the sandbox's names."""


def partner(**changed: object) -> Act:
    def act(access: CrossTenantAccess, found: Partner) -> None:
        access.set_partner(replace(found, **changed))  # type: ignore[arg-type]  # names and types are Partner's

    return act


def synchronization(sync: IdentitySync | None) -> Act:
    def act(access: CrossTenantAccess, found: Partner) -> None:
        access.set_partner(found, sync)

    return act


TARGET = {
    "redemption": Changed(
        act=partner(consent=Consent(inbound=False)),
        named={"partner automaticUserConsentSettings.inboundAllowed": ("true", "false")},
    ),
    "mfa": Changed(
        act=partner(trust=Trust(mfa=False, compliant=False, hybrid=False)),
        named={"partner inboundTrust.isMfaAccepted": ("true", "false")},
    ),
    "device": Changed(
        act=partner(trust=Trust(mfa=True, compliant=True, hybrid=False)),
        named={"partner inboundTrust.isCompliantDeviceAccepted": ("false", "true")},
    ),
    "b2b": Changed(
        act=partner(b2b={"b2bCollaborationInbound": _PARTNERS_OWN}),
        named={
            "partner b2bCollaborationInbound.applications.accessType": ("null", '"blocked"'),
            "partner b2bCollaborationInbound.applications.targets": ("null", "[]"),
        },
    ),
    "direct-connect": Changed(
        act=partner(b2b={"b2bDirectConnectOutbound": {"applications": {"accessType": "allowed", "targets": []}}}),
        named={
            "partner b2bDirectConnectOutbound.applications.accessType": ("null", '"allowed"'),
            "partner b2bDirectConnectOutbound.applications.targets": ("null", "[]"),
        },
    ),
    "restrictions": Changed(
        act=partner(others={"tenantRestrictions": {"devices": {"mode": "allowed", "rule": "x"}}}),
        named={
            "partner tenantRestrictions.devices.mode": ("null", '"allowed"'),
            "partner tenantRestrictions.devices.rule": ("null", '"x"'),
        },
    ),
    "provider": Changed(
        act=partner(others={"isServiceProvider": True}), named={"partner isServiceProvider": ("null", "true")}
    ),
    "organization": Changed(
        act=partner(others={"isInMultiTenantOrganization": True}),
        named={"partner isInMultiTenantOrganization": ("null", "true")},
    ),
    "outbound": Changed(
        act=partner(consent=Consent(inbound=True, outbound=True)),
        named={"partner automaticUserConsentSettings.outboundAllowed": ("null", "true")},
    ),
}
"""On an entry that we made: then it stays, without what is ours."""


@pytest.mark.parametrize("name", TARGET)
async def test_an_entry_of_ours_that_somebody_uses_stays_without_what_is_ours(scene: Scene, name: str) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    changed = TARGET[name]
    await scene.onboarded()
    theirs = _changed(fabrikam.access, contoso.id, changed.act)

    assert await let_go(scene) == "Offboarded"

    found = fabrikam.access.partner(contoso.id)
    assert found is not None
    assert (found.b2b, found.others) == (theirs.b2b, theirs.others)
    assert found.consent == Consent(
        inbound=None if theirs.consent.inbound is True else theirs.consent.inbound, outbound=theirs.consent.outbound
    )
    left, was = theirs.trust or Trust(), Trust(mfa=True, compliant=False, hybrid=False)
    assert (found.trust or Trust()) == Trust(
        mfa=None if left.mfa == was.mfa else left.mfa,
        compliant=None if left.compliant == was.compliant else left.compliant,
        hybrid=None if left.hybrid == was.hybrid else left.hybrid,
    )
    assert fabrikam.access.identity_sync(contoso.id) is None
    await _is_named(scene, 27, changed.named)


SYNCHRONIZATION = {
    "renamed": (IdentitySync(display_name="Ours", is_sync_allowed=True), {"displayName": ('"Contoso"', '"Ours"')}),
    "off": (
        IdentitySync(display_name="Contoso", is_sync_allowed=False),
        {"userSyncInbound.isSyncAllowed": ("true", "false")},
    ),
}


@pytest.mark.parametrize("name", SYNCHRONIZATION)
async def test_an_identity_synchronization_that_somebody_changed_stays_and_lets_nobody_in(
    scene: Scene, name: str
) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    sync, named = SYNCHRONIZATION[name]
    await scene.onboarded()
    _changed(fabrikam.access, contoso.id, synchronization(sync))
    wait = "accounts that are left" if name == "off" else ""

    assert await let_go(scene) == "Offboarded"

    assert replace(sync, is_sync_allowed=False) == fabrikam.access.identity_sync(contoso.id)
    found = fabrikam.access.partner(contoso.id)
    assert found is not None
    assert (found.consent, found.trust) == (Consent(), None)
    named = {f"identity synchronization {what}": values for what, values in named.items()}
    await _is_named(scene, 27, {**named, "partner identitySynchronization": ("null", '"there"')})
    record = await scene.record()
    # Without the trust the synchronization deletes nobody's account any more: they are left.
    assert [one["act"] for one in record["leftToKit"]] == ([24] if wait else [])


SOURCE = {
    "redemption": Changed(
        act=partner(consent=Consent(outbound=False)),
        named={"partner automaticUserConsentSettings.outboundAllowed": ("true", "false")},
    ),
    "b2b": Changed(
        act=partner(b2b={"b2bCollaborationOutbound": _PARTNERS_OWN}),
        named={
            "partner b2bCollaborationOutbound.applications.accessType": ("null", '"blocked"'),
            "partner b2bCollaborationOutbound.applications.targets": ("null", "[]"),
        },
    ),
    "synchronization": Changed(
        act=synchronization(IdentitySync(display_name="Fabrikam", is_sync_allowed=True)),
        named={"partner identitySynchronization": ("null", '"there"')},
    ),
}


@pytest.mark.parametrize("name", SOURCE)
async def test_the_same_holds_in_the_source(scene: Scene, name: str) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    changed = SOURCE[name]
    await scene.onboarded()
    # At the last moment, or the synchronization would stand still for it.
    theirs: list[Partner] = []

    async def change() -> None:
        theirs.append(_changed(contoso.access, fabrikam.id, changed.act))

    scene.world.points.arm("activity.before", "distrust_target", 0, change)

    assert await let_go(scene) == "Offboarded"

    found = contoso.access.partner(fabrikam.id)
    assert found is not None
    assert (found.b2b, found.others, found.trust) == (theirs[0].b2b, theirs[0].others, None)
    assert found.consent == Consent(outbound=False if name == "redemption" else None)
    await _is_named(scene, 26, changed.named)


async def test_settings_from_before_that_somebody_changed_since_are_not_overwritten(scene: Scene) -> None:
    """An entry that was there before: only what is ours is looked at."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    before = Partner(
        tenant_id=contoso.id,
        consent=Consent(inbound=False, outbound=True),
        trust=Trust(mfa=None, compliant=True, hybrid=None),
    )
    fabrikam.access.set_partner(before)
    scene.consented()
    beginning = picture(scene.world)
    await scene.onboarded()
    _changed(
        fabrikam.access,
        contoso.id,
        partner(trust=Trust(mfa=False, compliant=True, hybrid=False), b2b={"b2bCollaborationInbound": _PARTNERS_OWN}),
    )

    assert await let_go(scene) == "Offboarded"

    found = fabrikam.access.partner(contoso.id)
    assert found is not None
    assert found.consent == before.consent
    assert found.trust == Trust(mfa=False, compliant=True, hybrid=None)
    assert found.b2b == {"b2bCollaborationInbound": _PARTNERS_OWN}
    await _is_named(scene, 27, {"partner inboundTrust.isMfaAccepted": ("true", "false")})
    rest = changes(beginning, picture(scene.world))
    assert all(path.startswith(f"Fabrikam.access._partners.{contoso.id}.") for path in rest)


@pytest.mark.parametrize("by_us", [True, False], ids=["that-we-made", "from-before"])
async def test_an_entry_that_somebody_deleted_is_not_made_again(scene: Scene, *, by_us: bool) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    if not by_us:
        fabrikam.access.set_partner(Partner(tenant_id=contoso.id, trust=Trust(compliant=True)))
    await scene.onboarded()

    async def delete() -> None:
        fabrikam.access.delete_identity_sync(contoso.id)
        fabrikam.access.delete_partner(contoso.id)
        scene.let_it_spread()

    scene.world.clock.advance(3600)
    scene.world.points.arm("activity.before", "distrust_source", 0, delete)

    assert await let_go(scene) == "Offboarded"

    assert fabrikam.access.partner(contoso.id) is None
    await _is_named(scene, 27, {} if by_us else {"partner": ('"there"', '"gone"')})


async def test_what_was_left_alone_stays_left_alone_when_the_act_is_done_again(scene: Scene) -> None:
    """Cancelled after the settings were put back: another look must not take theirs for ours."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    await scene.onboarded()
    theirs = _changed(
        fabrikam.access,
        contoso.id,
        partner(
            consent=Consent(inbound=True, outbound=True),
            trust=Trust(mfa=False, compliant=False, hybrid=False),
            b2b={"b2bCollaborationInbound": _PARTNERS_OWN},
        ),
    )

    async def cancel() -> None:
        await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    scene.world.points.arm("vendor.after", _PATCH, scene.world.points.passed("vendor.after", _PATCH), cancel)
    assert await let_go(scene) == "Cancelled"

    assert await scene.retry() == "Offboarded"

    found = fabrikam.access.partner(contoso.id)
    assert found is not None
    assert (found.b2b, found.trust) == (theirs.b2b, Trust(mfa=False, compliant=None, hybrid=None))
    assert found.consent == Consent(inbound=None, outbound=True)
    assert {one["what"] for one in (await scene.record())["skipped"]} == {
        "partner automaticUserConsentSettings.outboundAllowed",
        "partner inboundTrust.isMfaAccepted",
        "partner b2bCollaborationInbound.applications.accessType",
        "partner b2bCollaborationInbound.applications.targets",
    }


def _changed(access: CrossTenantAccess, other: str, act: Act) -> Partner:
    """Let somebody do it; gives the entry as they left it."""
    found = access.partner(other)
    assert found is not None
    act(access, found)
    theirs = access.partner(other)
    assert theirs is not None
    return theirs


async def _is_named(scene: Scene, act: int, named: dict[str, tuple[str, str]]) -> None:
    skipped = (await scene.record())["skipped"]
    assert {one["what"]: (one["left"], one["now"]) for one in skipped} == named
    assert {one["act"] for one in skipped} <= {act}
    where = scene.target if act == 27 else scene.world.contoso.id
    assert {one["tenant"] for one in skipped} <= {where}
