"""The Bicep files hold together: each parses, calls modules as they are, and declares nothing that nobody uses.

What only Azure could tell, a deployment tells. Each check is shown to fail on a wrong text.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from shared.seals import CONTAINER
from tests.unit.bicep import INFRA, Bicep, all_properties, properties, read_all, resolved

_ROOT = INFRA.parent
_FILES = read_all()
# Of siteConfig: what Flex Consumption has refused by name (ARM error 51021: azure-cli issue 31414, azure-functions-host issue
# 10643, Azure/terraform-azurerm-avm-res-web-site issue 283), and what the last one's pull request 345 leaves out beside it:
# the stack, which functionAppConfig has.
_REFUSED = frozenset(
    [
        "alwaysOn",
        "ftpsState",
        "functionAppScaleLimit",
        "functionsRuntimeScaleMonitoringEnabled",
        "javaContainer",
        "javaContainerVersion",
        "javaVersion",
        "linuxFxVersion",
        "netFrameworkVersion",
        "nodeVersion",
        "phpVersion",
        "powerShellVersion",
        "preWarmedInstanceCount",
        "pythonVersion",
        "use32BitWorkerProcess",
        "windowsFxVersion",
    ]
)
_ACCOUNTS = ("modules/host.bicep", "modules/state.bicep", "modules/audit.bicep")

type Files = Mapping[str, Bicep]


def unparsed(files: Files) -> list[str]:
    """Lines that are no Bicep."""
    return [f"{name}:{line}" for name, file in files.items() for line in sorted(set(file.broken_lines))]


def undescribed(files: Files) -> list[str]:
    """Parameters and outputs without a description."""
    return [f"{name}: {one}" for name, file in files.items() for one in file.undescribed]


def unused(files: Files) -> list[str]:
    """What is declared and read nowhere. A resource is there for Azure, and an output for who calls."""
    return [
        f"{name}: {one}"
        for name, file in files.items()
        for one in file.declared("parameter", "variable")
        if one not in file.used
    ]


def unread(files: Files) -> list[str]:
    """Outputs of modules that nobody reads, and what is read though it is no output."""
    given = {
        (resolved(name, module.path), output)
        for name, file in files.items()
        for module in file.modules
        for symbol, output in file.outputs_read
        if symbol == module.symbol
    }
    there = {(name, output) for name, file in files.items() if "/" in name for output in file.declared("output")}
    return [f"{name}: {output}" for name, output in sorted(given ^ there)]


def miscalled(files: Files) -> list[str]:
    """Parameters that a module asks for and does not get, or gets and does not know; modules that are not there."""
    problems: list[str] = []
    for name, file in files.items():
        for module in file.modules:
            called = files.get(resolved(name, module.path))
            if called is None:
                problems.append(f"{module.symbol}: no {module.path}")
                continue
            given = set(module.given)
            problems += [f"{module.symbol}: lacks {one}" for one in sorted(called.required - given)]
            problems += [f"{module.symbol}: no {one}" for one in sorted(given - set(called.declared("parameter")))]
    return problems


def uncalled(files: Files) -> list[str]:
    """Modules that nobody calls."""
    called = {resolved(name, module.path) for name, file in files.items() for module in file.modules}
    return sorted(name for name in files if "/" in name and name not in called)


def unknown_symbols(files: Files) -> list[str]:
    """Names that are read and declared nowhere: no parameter, variable, resource, module, nor a loop's or lambda's own."""
    own = re.compile(r"\bfor \(?(\w+)(?:, (\w+))?|(\w+) =>")
    return [
        f"{name}: {one}"
        for name, file in files.items()
        for one in sorted(
            file.used - set(file.declared()) - {part for found in own.findall(file.text) for part in found}
        )
    ]


_CHECKS: tuple[Callable[[Files], list[str]], ...] = (
    unparsed,
    undescribed,
    unused,
    unread,
    miscalled,
    uncalled,
    unknown_symbols,
)

_MODULE = "@description('x')\nparam a string\n@description('x')\noutput b string = a\n"
_MAIN = "module m 'modules/m.bicep' = {\n  name: 'm'\n  params: {\n    a: 'x'\n  }\n}\nvar c = m.outputs.b\n"
_USE = "resource r 'A/b@2024-01-01' = {\n  name: c\n}\n"


def written(main: str = _MAIN + _USE, module: str = _MODULE, **more: str) -> Files:
    texts = {
        "main.bicep": main,
        "modules/m.bicep": module,
        **{f"modules/{name}.bicep": one for name, one in more.items()},
    }
    return {name: Bicep(text) for name, text in texts.items()}


@pytest.mark.parametrize("check", _CHECKS, ids=lambda check: check.__name__)
def test_no_check_finds_anything(check: Callable[[Files], list[str]]) -> None:
    assert check(_FILES) == []
    assert check(written()) == []


@pytest.mark.parametrize(
    ("check", "files", "found"),
    [
        (unparsed, written(_MAIN + _USE + "resource 'x' = {\n"), ["main.bicep:11"]),
        (
            undescribed,
            written(module="param a string\n@description('x')\noutput b string = a\n"),
            ["modules/m.bicep: a"],
        ),
        (
            undescribed,
            written(module="@description('x')\nparam a string\noutput b string = a\n"),
            ["modules/m.bicep: b"],
        ),
        (unused, written(_MAIN), ["main.bicep: c"]),
        (unused, written(module=_MODULE + "@description('x')\nparam d string = 'e'\n"), ["modules/m.bicep: d"]),
        (unused, written(module=_MODULE + "var d = {\n  d: a\n}\n"), ["modules/m.bicep: d"]),
        (unread, written(_MAIN.replace("outputs.b", "outputs.q") + _USE), ["modules/m.bicep: b", "modules/m.bicep: q"]),
        (miscalled, written(_MAIN.replace("a: 'x'", "q: 'x'") + _USE), ["m: lacks a", "m: no q"]),
        (miscalled, written(_MAIN.replace("m.bicep", "n.bicep") + _USE), ["m: no modules/n.bicep"]),
        (uncalled, written(n="var a = 1\n"), ["modules/n.bicep"]),
        (unknown_symbols, written(_MAIN + _USE.replace("name: c", "name: x.outputs.c")), ["main.bicep: x"]),
    ],
)
def test_each_check_finds_a_wrong_text(check: Callable[[Files], list[str]], files: Files, found: list[str]) -> None:
    assert check(files) == found


def test_every_extension_that_is_used_is_configured_and_the_other_way_round() -> None:
    configured = json.loads((INFRA / "bicepconfig.json").read_text())["extensions"]

    assert {one for file in _FILES.values() for one in file.extensions} == set(configured)


def test_the_parameters_file_gives_every_parameter_and_no_other() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]

    assert set(given) == set(_FILES["main.bicep"].declared("parameter"))
    assert all(re.fullmatch(r"\$\{(AZURE|TENANTRY)_[A-Z_]+\}", one["value"]) for one in given.values())


@pytest.mark.parametrize("name", _ACCOUNTS)
def test_no_storage_account_takes_a_key_or_a_stranger(name: str) -> None:
    account = _FILES[name].keys

    assert account["allowSharedKeyAccess"] == "false"
    assert account["allowBlobPublicAccess"] == "false"
    assert account["allowCrossTenantReplication"] == "false"
    assert account["supportsHttpsTrafficOnly"] == "true"
    assert account["minimumTlsVersion"] == "'TLS1_2'"
    assert set(_FILES[name].all_of("publicAccess")) <= {"'None'"}


def test_the_app_is_reached_by_tls_and_published_to_without_passwords() -> None:
    file = _FILES["modules/app.bicep"]
    app = file.keys

    assert app["httpsOnly"] == "true"
    assert (app["minTlsVersion"], app["scmMinTlsVersion"]) == ("'1.2'", "'1.2'")
    assert file.all_of("allow") == ["false", "false"]
    assert {"'ftp'", "'scm'"} <= set(file.all_of("name"))


def refused(file: Bicep) -> set[str]:
    """What a site of Flex Consumption is not created with."""
    given = [one for key, one in all_properties(file.root) if key == "siteConfig"]
    return {name for one in given for name in properties(one)} & _REFUSED


def test_an_app_asks_for_nothing_that_its_plan_refuses() -> None:
    app = _FILES["modules/app.bicep"]

    assert refused(app) == set()
    assert refused(Bicep(app.text.replace("http20Enabled: true", "ftpsState: 'Disabled'"))) == {"ftpsState"}


def test_what_is_not_below_api_asks_for_a_token() -> None:
    door = _FILES["modules/settings.bicep"].keys

    assert (door["requireAuthentication"], door["unauthenticatedClientAction"]) == ("true", "'Return401'")
    assert door["excludedPaths"].count("'/") == door["excludedPaths"].count("'/api/*'") == 1
    prefix = json.loads((_ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"]
    assert prefix == "api"


def test_the_vault_is_kept_from_being_purged_and_opened_by_roles() -> None:
    vault = _FILES["modules/vault.bicep"].keys

    assert (vault["enableRbacAuthorization"], vault["enablePurgeProtection"]) == ("true", "true")


def test_telemetry_takes_no_key() -> None:
    monitoring = _FILES["modules/monitoring.bicep"].keys

    assert (monitoring["DisableLocalAuth"], monitoring["disableLocalAuth"]) == ("true", "true")


def test_the_runtime_is_the_python_of_the_project() -> None:
    wanted = (_ROOT / ".python-version").read_text(encoding="utf-8").strip()

    assert _FILES["modules/app.bicep"].keys["version"].strip("'") == wanted


def test_every_table_and_the_seals_are_made_and_no_other() -> None:
    source = Path(_ROOT / "shared" / "services.py").read_text(encoding="utf-8")
    opened = {table: store for store, table in re.findall(r'Table\((opened|audited), "(\w+)"', source)}
    state = _FILES["modules/state.bicep"].declared("variable")["tableNames"].named_children[1].named_children

    assert [(one.text or b"").decode().strip("'") for one in state] == sorted(
        table for table, store in opened.items() if store == "opened"
    )
    audit = _FILES["modules/audit.bicep"]
    assert [table for table, store in opened.items() if store == "audited"] == ["Audit"]
    assert {"'Audit'", f"'{CONTAINER}'"} <= set(audit.all_of("name"))
