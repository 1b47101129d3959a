"""In each shape of a deployment every app has its own, and is trusted by whom the code says, and by no other."""

from collections.abc import Mapping

import pytest

from shared.approvals import session
from shared.notify import destinations
from shared.permissions import Registration
from shared.roles import TRUSTS, Role
from shared.settings import FINANCE_KEY, FINANCE_PREVIOUS_KEY
from tests.unit.bicep import Bicep
from tests.unit.bicep_values import NotMadeError
from tests.unit.shapes import MAIN, SHAPES, Shape, each_shape

_OF_THE_FRONT = {session.KEY, session.PREVIOUS_KEY, FINANCE_KEY, FINANCE_PREVIOUS_KEY}
_OF_THE_WORKER = {destinations.URL, destinations.KEY, destinations.PREVIOUS_KEY, destinations.TEAMS_URL}
_SECRETS: Mapping[Role, set[str]] = {
    Role.ALL: _OF_THE_FRONT | _OF_THE_WORKER,
    Role.FRONT: _OF_THE_FRONT,
    Role.WORKER: _OF_THE_WORKER,
    Role.BROKER: set(),
}


def strangers(shape: Shape) -> list[str]:
    """Registrations that trust an app which the code does not let act as them, or do not trust one that it does."""
    trusted = shape.trusted()
    return [
        f"{registration.name}: {role}"
        for role in sorted(shape.roles.values())
        for registration, apps in trusted.items()
        if (role in apps) != (registration in TRUSTS[role])
    ]


@each_shape
def test_there_are_the_apps_of_the_shape(shape: Shape) -> None:
    assert sorted(shape.roles.values()) == sorted(shape.expected)


@each_shape
def test_each_registration_trusts_whom_the_code_lets_act_as_it(shape: Shape) -> None:
    assert set(shape.trusted()) == set(Registration) - (set() if shape.subscriptions else {Registration.BROKER})
    assert strangers(shape) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("trusted: [workerIdentity]", "trusted: [appIdentity]", ["SOURCE: front", "SOURCE: worker"]),
        ("trusted: everyIdentity", "trusted: [appIdentity]", ["LOOKUP: broker", "LOOKUP: worker"]),
        ("trusted: [brokerIdentity]", "trusted: everyIdentity", ["BROKER: front", "BROKER: worker"]),
        ("workerApp!.outputs.principalId", "app.outputs.principalId", ["ACCESS: front", "ACCESS: worker"]),
    ],
)
def test_a_registration_that_trusts_somebody_else_is_found(right: str, wrong: str, found: list[str]) -> None:
    changed = Bicep(MAIN.text.replace(right, wrong))

    assert set(found) <= set(strangers(Shape(isolation=True, subscriptions=("a",), file=changed)))


@each_shape
def test_nothing_is_read_of_what_is_not_made(shape: Shape) -> None:
    assert len(shape.main.read()) > 20


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("isolation ? workerVault!.outputs.name : vault", "workerVault!.outputs.name == '' ? '' : vault"),
        ("brokerApart ? brokerApp!.outputs.principalId : appIdentity", "brokerApp!.outputs.principalId"),
        ("'modules/vault.bicep' = if (isolation)", "'modules/vault.bicep' = if (brokerApart)"),
    ],
)
def test_reading_what_is_not_made_is_found(right: str, wrong: str) -> None:
    assert right in MAIN.text

    found = [shape for shape in SHAPES.values() if _reads_too_much(shape, Bicep(MAIN.text.replace(right, wrong)))]
    assert found


def _reads_too_much(shape: Shape, file: Bicep) -> bool:
    try:
        Shape(isolation=shape.isolation, subscriptions=shape.subscriptions, file=file).main.read()
    except NotMadeError:
        return True
    return False


@each_shape
def test_state_telemetry_and_audit_are_for_every_app_and_seals_for_the_one_that_works(shape: Shape) -> None:
    for path in ("modules/state.bicep", "modules/monitoring.bicep", "modules/audit.bicep"):
        [given] = shape.main.made(path).values()
        assert shape.identities(given["principalIds"]) == shape.expected
    [audit] = shape.main.made("modules/audit.bicep").values()
    assert shape.app_of(shape.main.of(audit["sealerPrincipalId"])).works


@each_shape
def test_each_app_has_its_own_settings(shape: Shape) -> None:
    given = shape.given("modules/settings.bicep")

    assert {Role(one["role"]) for one in given} == shape.expected
    assert len(given) == len(shape.expected)
    for one in given:
        for name in ("appName", "identityClientId", "hostAccountName"):
            assert shape.app_of(one[name]) == one["role"]


@each_shape
def test_each_app_has_its_own_secrets_in_a_vault_that_no_other_reads(shape: Shape) -> None:
    readers = {one["symbol"]: shape.app_of(one["identityPrincipalId"]) for one in shape.given("modules/vault.bicep")}

    assert len(set(readers.values())) == len(readers)
    for one in shape.given("modules/settings.bicep"):
        assert set(one["givenSecrets"]) == _SECRETS[Role(one["role"])]
        if one["givenSecrets"]:
            assert readers[one["vaultName"].partition(".")[0]] == one["role"]


def test_no_vault_is_that_of_another_shape() -> None:
    """What was put there for the whole app the front must not read."""
    names = [{one["name"] for one in shape.given("modules/vault.bicep")} for shape in SHAPES.values()]

    assert all(len(one) <= 24 for each in names for one in each)
    assert names[0] == names[1]
    assert names[2] == names[3]
    assert not names[0] & names[2]
