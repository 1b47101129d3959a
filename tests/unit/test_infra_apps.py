"""What the apps of a shape are called, which of them is open, and that azd deploys them and no others."""

import re
import runpy
from pathlib import Path

import pytest

from shared.permissions import Registration
from shared.roles import Role
from tests.benchmarks.test_activation import AN_INSTANCE_TAKES
from tests.unit.bicep import INFRA, all_properties
from tests.unit.bicep_values import Values
from tests.unit.shapes import APP, FILES, MAIN, SETTINGS, SHAPES, TOKEN, Shape, each_shape, named
from tools.package import OUT

_ROOT = INFRA.parent
_AZURE_YAML = (_ROOT / "azure.yaml").read_text(encoding="utf-8")
_OPERATING = (_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_no_two_apps_have_anything_in_common() -> None:
    apart = [named(role) for role in (Role.FRONT, Role.WORKER, Role.BROKER)]

    for what in apart[0]:
        assert len({one[what] for one in apart}) == 3
    assert all(len(named(role)["host"]) <= 24 for role in Role)


def test_what_people_reach_is_the_same_app_in_both_shapes_and_nothing_of_its_own_is() -> None:
    whole, front = named(Role.ALL), named(Role.FRONT)

    assert {what for what in whole if whole[what] == front[what]} == {"plan", "app", "service"}


@each_shape
def test_azd_deploys_the_apps_of_the_shape_and_no_other(shape: Shape) -> None:
    services = re.findall(r"^ {2}(\w+):\n((?: {4}.*\n)+)", _AZURE_YAML.partition("services:\n")[2], re.MULTILINE)
    conditions = {name: re.findall(r"condition: \$\{(\w+)\}", body) for name, body in services}

    deployed = {name for name, asked in conditions.items() if all(shape.main.output(one) == "true" for one in asked)}
    assert deployed == {named(role)["service"] for role in shape.expected}
    assert conditions["app"] == []


def test_azd_builds_once_what_every_service_deploys_and_what_people_reach_comes_last() -> None:
    services = _AZURE_YAML.partition("services:\n")[2]

    assert set(re.findall(r"dist: (.+)", services)) == {f"{OUT.relative_to(_ROOT)}/app"}
    assert "hooks:" not in services
    assert re.findall(r"^  (pre\w+):\n    posix:\n      shell: sh\n      run: (.+)$", _AZURE_YAML, re.MULTILINE) == [
        ("predeploy", "make package"),
        ("prepackage", "make package"),
    ]
    assert re.findall(r"^    - azd: (.+)$", _AZURE_YAML, re.MULTILINE) == ["provision", "deploy --all"]
    assert re.findall(r"uses: (.+)", services) == ["[worker, broker]"]


def left_behind(now: Shape, before: Shape) -> tuple[set[str], set[str]]:
    """What a deployment of another shape does not take away: what is the apps' own, and vaults."""
    own = [{name for role in shape.expected for name in named(role).values()} for shape in (before, now)]
    vaults = [{one["name"] for one in shape.given("modules/vault.bicep")} for shape in (before, now)]
    return own[0] - own[1] - {"worker", "broker"}, vaults[0] - vaults[1]


@pytest.mark.parametrize(("told", "now", "before"), [("three apps", 3, 1), ("one app", 1, 3)])
def test_what_another_shape_leaves_behind_is_named_and_nothing_that_goes_on(told: str, now: int, before: int) -> None:
    shapes = list(SHAPES.values())

    [[deleted, emptied]] = re.findall(rf"^ *\| {told} \| (.+) \| (.+) \|$", _OPERATING, re.MULTILINE)
    own, vaults = left_behind(shapes[now], shapes[before])
    assert {one.replace("<token>", TOKEN) for one in re.findall(r"`(.+?)`", deleted)} == own
    assert {one.replace("<token>", TOKEN) for one in re.findall(r"`(.+?)`", emptied)} == vaults


@pytest.mark.parametrize("role", Role)
def test_only_an_app_that_answers_is_open(role: Role) -> None:
    given = {"role": role.value, "token": TOKEN, "workersClosed": True}
    door = dict(all_properties(SETTINGS.root))["excludedPaths"]
    network = dict(all_properties(APP.root))["ipSecurityRestrictionsDefaultAction"]

    assert Values(SETTINGS, given).of(door) == (["/api/*"] if role.answers else [])
    assert Values(APP, given).of(network) == ("Allow" if role.answers else "Deny")
    assert Values(APP, {**given, "workersClosed": False}).of(network) == "Allow"
    assert all(one.given["workersClosed"] == "workersClosed" for one in MAIN.modules if one.path == "modules/app.bicep")


def test_a_credential_is_named_by_its_place_so_that_another_shape_writes_over_it() -> None:
    for name in ("modules/registration.bicep", "modules/api.bicep"):
        [credential] = [one for one in FILES[name].all_of("name") if "managed-identity" in one]
        assert credential == "'${application.uniqueName}/managed-identity${index == 0 ? '' : '-${index + 1}'}'"
    first = {
        registration: apps
        for registration, apps in SHAPES["isolated with the broker"].trusted().items()
        if len(apps) == 1
    }
    assert set(first) == set(Registration) - {Registration.LOOKUP}


def test_what_an_app_for_the_broker_costs_is_what_the_arithmetic_gives(tmp_path: Path) -> None:
    [cost, *_] = re.findall(r"^```python\n(import math.*?)^```$", _OPERATING, re.MULTILINE | re.DOTALL)
    (tmp_path / "cost.py").write_text(cost, encoding="utf-8")
    month = runpy.run_path(str(tmp_path / "cost.py"))["month"]

    [told] = re.findall(r"^\| the broker an app of its own, at 2,048 MB[^|]*\|(.+)\|$", _OPERATING, re.MULTILINE)
    assert [one.strip() for one in told.split("|")] == [
        f"{month(many, 2.0, 0, apart=True):.2f}" for many in (10, 100, 1_000)
    ]
    extra = {memory: month(100, memory, 0, apart=True) - month(100, memory, 0) for memory in (2.0, 0.5)}
    assert f"{extra[2.0]:.0f} USD a month at 2,048 MB, {extra[0.5]:.0f} at 512 MB" in " ".join(_OPERATING.split())


def test_an_instance_takes_as_many_requests_as_the_benchmark_measures() -> None:
    [declared] = re.findall(r"^param httpConcurrency int = (\d+)$", (INFRA / "main.bicep").read_text(), re.MULTILINE)

    assert int(declared) == AN_INSTANCE_TAKES
