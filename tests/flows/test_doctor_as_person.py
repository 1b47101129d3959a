"""The doctor on somebody's own machine: what a person settles is settled, and of the rest it is said what it takes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from shared.doctor.examining import Wanted
from shared.doctor.findings import AS_PERSON, FACTS, Answer
from tests.conftest import OpenWorld
from tests.flows import doctoring
from tests.flows.azure_cli import AzureCli
from tests.flows.doctoring import answers, examined
from tests.flows.financing import SETTINGS
from tests.flows.scene import Scene
from tests.flows.test_doctor import APART, BY_HAND
from tests.flows.test_doctor_health import check
from tests.sandbox.arm.models.roles import BUILT_IN, READER
from tests.sandbox.personas import Person

pytestmark = pytest.mark.sampled(4)

APPS_OWN = frozenset(FACTS) - AS_PERSON - BY_HAND
TO_BE_VALIDATED = ("arm-past-start-refused", "arm-unknown-principal-is-subject")


@asynccontextmanager
async def at_their_machine(open_world: OpenWorld, folder: Path, *flipped: str) -> AsyncIterator[tuple[Scene, AzureCli]]:
    """Ana, an analyst with an account in the target, is signed in with her CLI."""
    world = await open_world(flipped=flipped, receiving=True, settings=SETTINGS)
    async with Scene(world) as scene, AzureCli(scene, folder / "bin", world.people.ana) as cli:
        yield scene, cli


async def test_what_a_person_settles_is_settled_and_what_takes_the_app_is_no_failure(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        wanted = await doctoring.standing(scene)
        cli.may_decide_access(*wanted.subscriptions)

        report = await examined(scene, wanted, monkeypatch, cli=cli)

        found = answers(report)
        usual = AS_PERSON - APART.keys()
        assert {one: found[one] for one in usual if found[one] is not Answer.LIKELY} == {}
        assert {one: found[one] for one in APPS_OWN} == dict.fromkeys(APPS_OWN, Answer.AS_APP)
        reasons = {one.id: one.told for one in report.facts}
        assert all(FACTS[one].takes_app in reasons[one] for one in APPS_OWN)
        assert check(report, "signed in").told == f"as a person, to {scene.world.contoso.id}"
        assert check(report, f"Tenantry Access on {wanted.subscriptions[0]}").told.endswith("and no more")
        assert (report.to_do, report.exit_code) == ((), 0)


@pytest.mark.parametrize("fact", ["arm-pim-needs-owner", "arm-mfa-spares-applications"])
async def test_what_an_application_may_is_not_told_by_what_a_person_may(
    fact: str, open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path, fact) as (scene, cli):
        wanted = await APART.get(fact, doctoring.standing)(scene)
        cli.may_decide_access(*wanted.subscriptions)

        report = await examined(scene, wanted, monkeypatch, cli=cli)

        assert answers(report)[fact] is Answer.AS_APP


async def test_a_person_who_may_only_read_is_told_what_they_are_refused_and_has_nothing_to_do(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        wanted = await doctoring.standing(scene)
        subscription = scene.world.clouds.azure.subscriptions[wanted.subscriptions[0]]
        subscription.access.assign(scene.world.people.ana.object_id, BUILT_IN[READER], subscription.scope)

        report = await examined(scene, wanted, monkeypatch, cli=cli)

        found = answers(report)
        assert found["arm-extension-keeps-schedule"] is Answer.LIKELY
        assert {found[one] for one in TO_BE_VALIDATED} == {Answer.AS_APP}
        [refused] = [one for one in report.facts if one.id == TO_BE_VALIDATED[0]]
        assert refused.told.startswith("you are refused with 403 AuthorizationFailed")
        assert report.exit_code == 0


@pytest.mark.parametrize("flipped", [(), ("arm-lists-refuse-with-400",)], ids=["403", "400"])
async def test_a_person_without_any_right_in_azure_learns_that_and_nothing_else(
    flipped: tuple[str, ...], open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a list without the right looks like a bad request, as an unknown preview does."""
    async with at_their_machine(open_world, tmp_path, *flipped) as (scene, cli):
        wanted = await doctoring.standing(scene)

        report = await examined(scene, wanted, monkeypatch, cli=cli)

        name = f"Tenantry Access on {wanted.subscriptions[0]}"
        assert check(report, name).told == "not looked at: you are refused with 403 AuthorizationFailed"
        of_azure = [one for one in AS_PERSON if one.startswith("arm-") and one != "arm-applications-cannot-cancel"]
        assert {answers(report)[one] for one in of_azure} == {Answer.AS_APP}
        assert report.exit_code == 0


async def test_a_person_without_an_account_in_the_target_is_told_how_to_sign_in_there(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        await scene.onboarded()
        cli.person = scene.world.people.operator

        report = await examined(scene, Wanted(tenants=(scene.target,)), monkeypatch, cli=cli)

        [fact] = [one for one in report.facts if one.id == "synced-user-accepted"]
        assert fact.answer is Answer.AS_APP
        assert f"az login --tenant {scene.target}" in fact.told
        assert answers(report)["app-role-value-is-null"] is Answer.LIKELY
        assert report.exit_code == 0


async def test_without_the_store_a_subscription_is_looked_at_and_a_tenant_is_not(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        wanted = await doctoring.standing(scene)
        cli.may_decide_access(*wanted.subscriptions)
        shut_out(scene)

        report = await examined(scene, Wanted(subscriptions=wanted.subscriptions), monkeypatch, cli=cli)
        of_both = await examined(scene, wanted, monkeypatch, cli=cli)

        found = answers(report)
        assert (found["arm-past-start-refused"], found["app-role-value-is-null"]) == (Answer.LIKELY, Answer.OPEN)
        [kept] = [one for one in report.facts if one.id == "arm-applications-cannot-cancel"]
        assert kept.told == "what the app has kept of its cancellations is out of reach here"
        assert (report.exit_code, of_both.exit_code) == (0, 1)
        assert "Storage Table Data Reader" in check(of_both, "state tables").do


def shut_out(scene: Scene) -> None:
    """The state account's network takes nobody in from where the person is."""
    name = "TENANTRY_TABLES_CONNECTION_STRING"
    parts = scene.world.host.environment[name].split(";")
    there = "TableEndpoint=http://127.0.0.1:9/nobody"
    scene.world.host.environment[name] = ";".join(there if one.startswith("TableEndpoint=") else one for one in parts)


async def test_reads_only_holds_for_a_person(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        wanted = replace(await doctoring.standing(scene), validates=False)
        cli.may_decide_access(*wanted.subscriptions)
        mark = len(scene.world.clouds.recorder.entries)

        report = await examined(scene, wanted, monkeypatch, cli=cli)

        assert {answers(report)[one] for one in TO_BE_VALIDATED} == {Answer.OPEN}
        assert {one.method for one in list(scene.world.clouds.recorder.entries)[mark:]} == {"GET"}


def nobody(cli: AzureCli, _: Person) -> None:
    cli.person = None


def somebody_elses(cli: AzureCli, administrator: Person) -> None:
    cli.person = administrator


def of_another_tenant(cli: AzureCli, administrator: Person) -> None:
    cli.person, cli.ignores_tenant = administrator, True


def an_application(cli: AzureCli, _: Person) -> None:
    cli.application = True


def a_broken_cli(cli: AzureCli, _: Person) -> None:
    (cli.folder / "az").write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.parametrize(
    ("signed_in", "says"),
    [
        (nobody, "nobody is signed in with the Azure CLI"),
        (somebody_elses, "who is signed in with the Azure CLI has no account in the tenant {source} (AADSTS50020)"),
        (of_another_tenant, "the Azure CLI gives a token for the tenant {target}, and not {source}"),
        (an_application, "an application or a managed identity is signed in with the Azure CLI, and no person"),
        (a_broken_cli, "the Azure CLI gives no token"),
    ],
)
async def test_who_cannot_be_asked_as_is_told_why_and_to_sign_in(
    signed_in: Callable[[AzureCli, Person], None],
    says: str,
    open_world: OpenWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        source, mark = scene.world.contoso.id, len(scene.world.clouds.recorder.entries)
        signed_in(cli, scene.world.people.administrator)

        report = await examined(scene, Wanted(tenants=(scene.target,)), monkeypatch, cli=cli)

        assert len(scene.world.clouds.recorder.entries) == mark
        found = check(report, "signed in")
        assert (found.sound, found.told) == (False, says.format(source=source, target=scene.target))
        assert found.do == f"sign in with an account of the tenant: az login --tenant {source}"
        assert {answers(report)[one] for one in AS_PERSON} == {Answer.BARRED}
        assert {answers(report)[one] for one in APPS_OWN} == {Answer.AS_APP}
        assert report.exit_code == 1


async def test_where_there_is_no_azure_cli_a_person_is_told_to_install_it(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        (cli.folder / "az").unlink()

        report = await examined(scene, Wanted(), monkeypatch, cli=cli)

        assert check(report, "signed in").told == "there is no Azure CLI (az) here"
        assert any(one.startswith("install the Azure CLI") for one in report.to_do)


async def test_a_token_is_asked_of_the_cli_once_for_each_tenant_and_service(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_their_machine(open_world, tmp_path) as (scene, cli):
        wanted = await doctoring.standing(scene)
        cli.may_decide_access(*wanted.subscriptions)

        await examined(scene, wanted, monkeypatch, cli=cli)

        clouds, source = scene.world.clouds, scene.world.contoso.id
        assert sorted((one["--resource"], one["--tenant"]) for one in cli.asked) == sorted(
            [(clouds.arm, source), (clouds.graph, source), (clouds.graph, scene.target)]
        )
