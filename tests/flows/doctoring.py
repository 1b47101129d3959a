"""The doctor in a scene: what there is for it to look at, and that it leaves everything as it was."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest

from shared.azure_permissions import VM_CONTRIBUTOR
from shared.doctor.examining import Wanted, opened
from shared.doctor.findings import Answer, Report
from shared.identifiers import SubscriptionId
from shared.permissions import Registration
from shared.services import new_id
from shared.settings import read_settings
from tests.flows.activating import Locked, locked
from tests.flows.azure_cli import AzureCli
from tests.flows.financing import Finance
from tests.flows.pictures import picture
from tests.flows.scene import Scene
from tests.flows.test_access import carry_out
from tests.sandbox.arm.models.policy import MFA
from tests.sandbox.arm.models.records import Requestor, Ticket, Window
from tests.sandbox.arm.models.records import Wanted as Asked
from tests.sandbox.arm.tokens import AZURE_CLI
from tests.sandbox.graph.models.cross_tenant import Consent
from tests.sandbox.graph.models.pim_records import PRIVILEGED_ROLE_ADMINISTRATOR
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.recorder import Recorded

NEEDS_ROLE = "eligibility-needs-directory-role"
_VALIDATED = "/roleManagement/directory/roleEligibilityScheduleRequests"
_READS = ("/validateCredentials", ".runHuntingQuery", "/validate")

type Story = Callable[[Scene], Awaitable[Wanted]]


async def examined(
    scene: Scene, wanted: Wanted, monkeypatch: pytest.MonkeyPatch, *, cli: AzureCli | None = None
) -> Report:
    """The doctor's report, with what it asked being reads, and everything as it was before. `cli`: as who is signed in there,
    where there is no managed identity, and as nobody else.
    """
    environment = dict(scene.world.host.environment)
    if cli is not None:
        environment = {name: value for name, value in environment.items() if not name.startswith("IDENTITY_")}
        environment["PATH"] = str(cli.folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Aiohttp, which azure-identity speaks through, reads the trusted certificates when it is imported.
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", scene.world.certificates.client_context())
    scene.world.clouds.provisioning.settle()
    before, mark = await everything(scene), len(scene.world.clouds.recorder.entries)
    async with opened(read_settings(environment), scene.world.clock, new_id, as_person=cli is not None) as doctor:
        report = await doctor.examine(wanted)
    sent = list(scene.world.clouds.recorder.entries)[mark:]
    asked = [one for one in sent if one.service in ("graph", "arm")]
    if cli is not None:
        assert {one.app_id for one in sent} <= {AZURE_CLI}
    assert [f"{one.method} {one.path}" for one in asked if changes(one)] == []
    assert await everything(scene) == before
    return report


def changes(one: Recorded) -> bool:
    """Whether a call could have changed something."""
    if one.method == "GET" or one.path.endswith(_READS):
        return False
    body = one.request if isinstance(one.request, Mapping) else {}
    return not (one.path.endswith(_VALIDATED) and body.get("isValidationOnly") is True)


async def everything(scene: Scene) -> tuple[object, ...]:
    """Both tenants, every subscription, the record and the audit trail."""
    subscriptions = scene.world.clouds.azure.subscriptions
    azure = {
        key: (
            {name: repr(made) for name, made in one.pim.schedules.items()},
            sorted(one.pim.requests),
            sorted(one.activations.requests),
            sorted(one.activations.schedules),
        )
        for key, one in subscriptions.items()
    }
    asked = sorted(scene.world.fabrikam.pim.requests)
    kept = [await scene.subscriptions.read(SubscriptionId(one)) for one in subscriptions]
    return picture(scene.world), azure, asked, await scene.tenants.read(scene.target), kept, await scene.entries()


def answers(report: Report) -> dict[str, Answer]:
    """How each fact stands."""
    return {one.id: one.answer for one in report.facts}


async def standing(scene: Scene) -> Wanted:
    """Fabrikam is Ready since two days, and Production locked: one eligibility was extended, one lapsed, and a request waited
    in vain.
    """
    _needs_role(scene, given=True)
    await scene.onboarded()
    _needs_role(scene, given=False)
    found = await locked(scene)
    found.subscription.pim.policy().longest("P730D")
    ben = scene.world.people.ben.object_id
    _asked(found, "AdminAssign", ben, until=scene.world.clock.now() + timedelta(days=1))
    await found.ask_in_portal()
    scene.world.clock.advance(timedelta(hours=1).total_seconds())
    early = scene.world.clouds.switches.is_flipped("arm-extend-window-enforced")
    _asked(found, "AdminUpdate" if early else "AdminExtend", found.group.id, until=found.end() + timedelta(days=10))
    scene.world.clock.advance(timedelta(days=2).total_seconds())
    await scene.settle()
    return Wanted(tenants=(scene.target,), subscriptions=(found.id,))


async def with_mfa(scene: Scene) -> Wanted:
    """The role's policy asks for MFA where somebody is made eligible."""
    found = await locked(scene)
    found.subscription.pim.policy().demand(MFA)
    return Wanted(subscriptions=(found.id,))


async def with_lock(scene: Scene) -> Wanted:
    """Somebody put a lock on the subscription."""
    found = await locked(scene)
    found.subscription.pim.locked = True
    return Wanted(subscriptions=(found.id,))


async def denied(scene: Scene) -> Wanted:
    """Finance denied a request, which the app cancels, or may not."""
    finance = Finance(await locked(scene))
    await finance.says(await finance.found.asked(), "deny")
    await finance.found.after(timedelta(minutes=1))
    return Wanted(subscriptions=(finance.found.id,))


async def without_redemption(scene: Scene) -> Wanted:
    """Somebody in Contoso took automatic redemption back."""
    await scene.onboarded()
    contoso = scene.world.contoso
    partner = contoso.access.partner(scene.target)
    assert partner is not None
    contoso.access.set_partner(replace(partner, consent=Consent(outbound=False)))
    scene.let_it_spread()
    return Wanted(tenants=(scene.target,))


async def without_pim(scene: Scene) -> Wanted:
    """A tenant without P2, whose administrator assigned the role for good."""
    scene.world.fabrikam.licences.p2 = False
    scene.consented()
    await scene.post(scene.world.people.ana, withoutPim="wait")
    await scene.settle()
    await carry_out(scene, (await scene.record())["problem"]["do"])
    assert await scene.retry() == "Ready"
    return Wanted(tenants=(scene.target,))


async def without_defender(scene: Scene) -> Wanted:
    """Hunting is wanted where there is no Defender."""
    scene.world.fabrikam.defender.licensed = False
    await scene.onboarded(features=["hunting"])
    return Wanted(tenants=(scene.target,), defender=False)


async def without_devices(scene: Scene) -> Wanted:
    """Hunting is wanted where no device has reported."""
    scene.world.fabrikam.defender.devices.clear()
    await scene.onboarded(features=["hunting"])
    return Wanted(tenants=(scene.target,), defender=True)


async def with_spent_quota(scene: Scene) -> Wanted:
    """Somebody spent the tenant's CPU quota."""
    await scene.onboarded(features=["hunting"])
    scene.world.fabrikam.defender.blocked_until = scene.world.clock.now() + timedelta(minutes=10)
    return Wanted(tenants=(scene.target,))


def _needs_role(scene: Scene, *, given: bool) -> None:
    """Where PIM asks for a directory role, Tenantry Access has it for the onboarding alone."""
    fabrikam = scene.world.fabrikam
    if scene.world.clouds.switches.is_flipped(NEEDS_ROLE):
        scene.consented()
        access = fabrikam.applications.by_app_id(CLIENT_IDS[Registration.ACCESS])
        assert access is not None
        change = fabrikam.pim.directory_roles.add if given else fabrikam.pim.directory_roles.discard
        change((access.id, PRIVILEGED_ROLE_ADMINISTRATOR))


def _asked(found: Locked, action: str, principal_id: str, *, until: datetime) -> None:
    """An administrator's request in the portal."""
    subscription, now = found.subscription, found.scene.world.clock.now()
    held = found.held(principal_id)
    wanted = Asked(
        action=action,
        principal_id=principal_id,
        role_id=VM_CONTRIBUTOR,
        role_prefix=subscription.scope.path,
        scope=subscription.scope,
        window=Window(start=now, end=until, kind="AfterDateTime"),
        justification="In the portal",
        ticket=Ticket(number=None, system=None),
        target_schedule=held.id if held else None,
    )
    subscription.pim.request(
        str(uuid4()), wanted, Requestor(object_id=str(uuid4()), is_application=False, has_mfa=True)
    )
