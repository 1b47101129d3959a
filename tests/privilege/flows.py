"""The named flows of the proof of least privilege: short stories that come to their end with the full set of permissions.

A new flow is one line in FLOWS. A story raises NotReached where it ends anywhere else; which permissions and calls it
proves is read from what it sends, so nothing about them stands here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.permissions import MULTI_TENANT, SourceMode
from tests.flows.renewing import midnight, night_after
from tests.flows.scene import Scene
from tests.flows.test_night import night
from tests.flows.writes import PROVISION
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE
from tests.sandbox.graph.models.conditional_access import policy
from tests.sandbox.graph.models.cross_tenant import IdentitySync, Partner
from tests.sandbox.graph.models.pim_records import SECURITY_READER
from tests.sandbox.personas import Person
from tests.sandbox.points import cut
from tests.sandbox.population import guid

BEGINS = datetime(2026, 3, 2, 20, 0, 20, tzinfo=UTC)
"""In the evening: a night is not far."""


class NotReached(Exception):
    """The story ended somewhere else; says where."""


type Story = Callable[[Scene, SourceMode], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A story, and what it is called where something breaks it."""

    name: str
    story: Story

    def __str__(self) -> str:
        return self.name


async def _named(scene: Scene, mode: SourceMode) -> None:
    await _onboard(scene, mode, scene.world.people.ana)


async def _by_source_group(scene: Scene, mode: SourceMode) -> None:
    people = scene.world.people
    people.analysts.members[:] = [people.ana.object_id]
    await _onboard(scene, mode, body={"analysts": {"groupId": people.analysts.id}})
    [analyst] = (await scene.record())["analysts"]
    _reach("the analyst's name", analyst["displayName"], people.ana.display_name)


async def _by_domain(scene: Scene, mode: SourceMode) -> None:
    scene.consented()
    named = {"synchronizationServicePrincipalId": guid("by-hand")} if mode is SourceMode.ADOPTED else {}
    analysts = {"userIds": [scene.world.people.ana.object_id]}
    body = {"domain": "fabrikam.com", "displayName": "Fabrikam", "analysts": analysts, "dryRun": True, **named}
    answer = await scene.call("POST", "/api/tenants", body)
    _reach("POST", answer.status_code, 200)


async def _lost_answer(scene: Scene, mode: SourceMode) -> None:
    """What provisioning on demand answered is lost on the way: who was made stands in the log only."""
    scene.world.points.arm("vendor.after", PROVISION, 0, cut)
    await _onboard(scene, mode, scene.world.people.ana)


async def _sync_allowed_before(scene: Scene, mode: SourceMode) -> None:
    """Somebody has made the identity synchronization already, and left it off."""
    source = scene.world.contoso.id
    off = IdentitySync(display_name="Contoso", is_sync_allowed=False)
    scene.world.fabrikam.access.set_partner(Partner(tenant_id=source), off)
    await _onboard(scene, mode, scene.world.people.ana)


async def _other_analysts(scene: Scene, mode: SourceMode) -> None:
    people = scene.world.people
    await _onboard(scene, mode, people.ana)
    if mode is SourceMode.ADOPTED:
        _assign_by_hand(scene, people.ben)
        _unassign_by_hand(scene, people.ana)
    answer = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", {"userIds": [people.ben.object_id]})
    _reach("PUT", answer.status_code, 202)
    _reach("the tenant", await scene.settle(), "Ready")
    analysts = [one["objectId"] for one in (await scene.record())["analysts"]]
    _reach("the analysts", analysts, [people.ben.object_id])


async def _a_night(scene: Scene, mode: SourceMode) -> None:
    await _onboard(scene, mode, scene.world.people.ana)
    evening = scene.world.clock.now()
    _reach("the tenant", await night(scene), "Ready")
    health = (await scene.record())["health"]
    looked = health is not None and datetime.fromisoformat(health["looked"]) > evening
    _reach("the look at the tenant", (looked, looked and health["drift"]), (True, []))


async def _a_renewal(scene: Scene, mode: SourceMode) -> None:
    """Of one that lapsed while the app was down: it must be told from one that somebody took away."""
    await _onboard(scene, mode, scene.world.people.ana)
    await night_after(scene, 200)
    [row] = (await scene.tenant()).eligibilities.values()
    _reach("the eligibility", row.end, midnight(scene) + timedelta(days=row.wanted_days))


async def _by_target_group(scene: Scene, mode: SourceMode) -> None:
    group = scene.world.fabrikam.directory.add_group("Contoso's analysts")
    group.is_assignable_to_role = True
    access = {"mode": "group", "groupId": group.id}
    await _onboard(scene, mode, scene.world.people.ana, body={"access": access}, ends="WaitingForPerson")
    group.members.append(scene.account(scene.world.people.ana).id)
    _reach("the tenant", await scene.retry(), "Ready")


async def _without_pim(scene: Scene, mode: SourceMode) -> None:
    """The target's administrator assigns the role for good."""
    target = scene.world.fabrikam
    target.licences.p2 = False
    await _onboard(scene, mode, scene.world.people.ana, body={"withoutPim": "wait"}, ends="WaitingForPerson")
    target.pim.directory_roles.add((scene.account(scene.world.people.ana).id, SECURITY_READER))
    _reach("the tenant", await scene.retry(), "Ready")


async def _with_hunting(scene: Scene, mode: SourceMode) -> None:
    """What acts 10 and 11 could not read would be a warning only, so it is looked at. Locations matter where MFA does."""
    scene.world.fabrikam.policies.conditional_access = [policy("Everybody", "mfa")]
    scene.consented(*MULTI_TENANT)
    await _onboard(scene, mode, scene.world.people.ana, body={"features": ["hunting"]})
    record = await scene.record()
    _reach("the sign-in diagnosis", record["signIn"]["problem"], None)
    _reach("the proof", record["proof"]["summary"], "proven: 3 hunting queries answered")


async def _let_go_half_deleted(scene: Scene, mode: SourceMode) -> None:
    """Somebody deleted the application object some time ago, and the enterprise application outlived it."""
    await _onboard(scene, mode, scene.world.people.ana)
    scene.world.clock.advance(2 * 3600)
    await scene.settle()
    scene.world.contoso.applications.applications.clear()
    await _part(scene, mode)


async def _let_go(scene: Scene, mode: SourceMode) -> None:
    await _onboard(scene, mode, scene.world.people.ana)
    await _part(scene, mode)


async def _part(scene: Scene, mode: SourceMode) -> None:
    if mode is SourceMode.ADOPTED:
        _unassign_by_hand(scene, scene.world.people.ana)
    answer = await scene.call("DELETE", f"/api/tenants/{scene.target}")
    _reach("DELETE", answer.status_code, 202)
    _reach("the tenant", await scene.settle(), "Offboarded")


async def _onboard(
    scene: Scene,
    mode: SourceMode,
    *analysts: Person,
    body: Mapping[str, object] | None = None,
    ends: str = "Ready",
) -> None:
    """Consents given before, POST, and what a person does where enterprise applications are adopted."""
    scene.consented()
    named: dict[str, object] = {}
    if mode is SourceMode.ADOPTED:
        _, principal = scene.world.contoso.applications.instantiate(SYNC_TEMPLATE, "Fabrikam")
        named["synchronizationServicePrincipalId"] = principal.id
        for person in analysts or (scene.world.people.ana,):
            _assign_by_hand(scene, person)
    answer = await scene.post(*analysts, **named, **(body or {}))
    _reach("POST", answer.status_code, 202)
    state = await scene.settle()
    _reach("the tenant", state, ends, (await scene.record())["problem"])


def _assign_by_hand(scene: Scene, person: Person) -> None:
    [principal] = scene.synchronizations()
    scene.world.contoso.applications.assign(principal, person.object_id, principal.app_roles[0].id)


def _unassign_by_hand(scene: Scene, person: Person) -> None:
    applications = scene.world.contoso.applications
    [held] = [key for key, one in applications.assignments.items() if one.principal_id == person.object_id]
    applications.unassign(held)


def _reach(what: str, found: object, wanted: object, why: object = None) -> None:
    if found != wanted:
        raise NotReached(f"{what}: {found}, not {wanted}; {why}")


FLOWS = (
    Flow(name="onboarding of a named analyst", story=_named),
    Flow(name="onboarding of a source group's members", story=_by_source_group),
    Flow(name="the plan for a tenant that is named by domain", story=_by_domain),
    Flow(name="onboarding where the answer of provisioning got lost", story=_lost_answer),
    Flow(name="onboarding where identity synchronization is there already", story=_sync_allowed_before),
    Flow(name="another analyst instead of the first", story=_other_analysts),
    Flow(name="a night", story=_a_night),
    Flow(name="access by a group of the target", story=_by_target_group),
    Flow(name="access without PIM", story=_without_pim),
    Flow(name="onboarding with hunting", story=_with_hunting),
    Flow(name="offboarding", story=_let_go),
    Flow(name="offboarding where the application object is gone already", story=_let_go_half_deleted),
    Flow(name="renewal of what lapsed", story=_a_renewal),
)
