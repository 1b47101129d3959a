"""`python -m shared.doctor` as an operator runs it: exit codes, what is printed, and what never is."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from shared.settings import NAMES
from tests.conftest import OpenWorld
from tests.flows.azure_cli import AzureCli
from tests.flows.declaring import declared
from tests.flows.scene import Scene
from tests.sandbox.population import guid
from tests.unit.environment import ENVIRONMENT

pytestmark = pytest.mark.sampled(2)

_ROOT = Path(__file__).parents[2]


async def run(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shared.doctor",
        *arguments,
        cwd=_ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 100)
    return process.returncode or 0, output.decode(), errors.decode()


async def test_every_setting_that_is_missing_is_named() -> None:
    code, output, errors = await run(environment={})

    assert (code, output) == (2, "")
    assert all(name in errors for name in ENVIRONMENT if not name.endswith(("_PORTAL", "_STRING")))


async def test_an_id_that_is_none_is_wrong_usage() -> None:
    code, _, errors = await run("--tenant", "fabrikam.com", environment=ENVIRONMENT)

    assert code == 2
    assert "is not a GUID" in errors


async def test_an_operators_run_tells_as_text_and_as_json_and_gives_nothing_away(open_world: OpenWorld) -> None:
    """In a world of today: the command goes by the machine's clock."""
    async with Scene(await open_world(start=datetime.now(UTC))) as scene:
        await scene.onboarded()
        reference = "@Microsoft.KeyVault(VaultName=kv-front;SecretName=tenantry-webhook-key)"
        environment = {
            **scene.world.host.environment,
            "TENANTRY_WEBHOOK_KEY": reference,
            "TENANTRY_WEBHOOK_URL": reference,
        }

        code, output, errors = await run("--tenant", scene.target, "--json", environment=environment)
        text_code, text, _ = await run("--tenant", scene.target, environment=environment)
        unknown, _, told = await run("--tenant", guid("nowhere"), environment=environment)

        report = msgspec.json.decode(output)
        assert (code, text_code, report["exitCode"], errors) == (0, 0, 0, "")
        found = {one["id"]: one["answer"] for one in report["facts"]}
        assert (found["app-role-value-is-null"], found["past-start-refused"]) == ("likely", "likely")
        assert "ok  key vault: not looked at: references are resolved inside of the app alone" in text
        assert text.endswith("NOTHING TO DO\n")
        assert (unknown, "not on the record" in told) == (2, True)
        people = scene.world.people
        names = [part for one in (people.ana, people.operator) for part in one.display_name.split()]
        secrets = [
            value for name, value in environment.items() if name in NAMES and ("KEY" in name or "STRING" in name)
        ]
        for secret in ("eyJ", "@contoso.com", *names, *secrets, environment["IDENTITY_HEADER"]):
            assert secret not in output + text + errors


async def test_a_person_runs_it_on_their_own_machine_without_a_secret_and_without_the_apps_identity(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    async with Scene(await open_world(start=datetime.now(UTC))) as scene:
        await scene.onboarded()
        subscription = await declared(scene)
        async with AzureCli(scene, tmp_path / "bin", scene.world.people.ana) as cli:
            cli.may_decide_access(subscription.id)
            given = {
                name: value for name, value in scene.world.host.environment.items() if not name.startswith("IDENTITY_")
            }
            reference = "@Microsoft.KeyVault(VaultName=vault;SecretName=tenantry-cookie-key)"
            environment = {**given, "TENANTRY_COOKIE_KEY": reference, "PATH": str(cli.folder)}
            named = ("--as-me", "--tenant", scene.target, "--subscription", subscription.id)

            code, output, errors = await run(*named, "--json", environment=environment)
            text_code, text, _ = await run(*named, environment=environment)

        report = msgspec.json.decode(output)
        assert (code, text_code, report["exitCode"], errors) == (0, 0, 0, "")
        found = {one["id"]: one["answer"] for one in report["facts"]}
        assert (found["synced-user-accepted"], found["arm-past-start-refused"]) == ("likely", "likely")
        assert (found["past-start-refused"], found["arm-pim-needs-owner"]) == ("asApp", "asApp")
        assert "it takes the app's identity" in text
        assert text.endswith("NOTHING TO DO\n")
        names = scene.world.people.ana.display_name.split()
        for secret in ("eyJ", "@contoso.com", "vault", *names):
            assert secret not in output + text + errors


async def test_a_person_who_cannot_be_asked_as_is_told_what_to_do(open_world: OpenWorld, tmp_path: Path) -> None:
    async with Scene(await open_world(start=datetime.now(UTC))) as scene:
        async with AzureCli(scene, tmp_path / "bin", scene.world.people.administrator) as cli:
            environment = {**scene.world.host.environment, "PATH": str(cli.folder)}
            elsewhere, told_elsewhere, _ = await run("--as-me", environment=environment)
            cli.person = None
            nobody, told_nobody, _ = await run("--as-me", environment=environment)
        (cli.folder / "az").unlink()
        missing, told_missing, errors = await run("--as-me", environment=environment)

        assert (elsewhere, nobody, missing, errors) == (1, 1, 1, "")
        source = scene.world.contoso.id
        assert (
            f"BAD signed in: who is signed in with the Azure CLI has no account in the tenant {source}"
            in told_elsewhere
        )
        assert "BAD signed in: nobody is signed in with the Azure CLI" in told_nobody
        assert "BAD signed in: there is no Azure CLI (az) here" in told_missing
        assert all(f"az login --tenant {source}" in one for one in (told_elsewhere, told_nobody, told_missing))
        assert "@fabrikam.com" not in told_elsewhere
