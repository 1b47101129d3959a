"""`make sandbox`: the world stays, for people. Prints its addresses, tokens and curl lines, then logs until Ctrl-C."""

import argparse
import asyncio
import base64
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from shared.activation.record import RUN_KIND
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.azurite import AzuriteError
from tests.sandbox.faults import PRESETS
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.host import AppFailedToLoad
from tests.sandbox.population import APPROVE, AUDIT, OPERATE, READ, REQUEST, guard_access, stock_azure
from tests.sandbox.processes import end_tidily_when_told
from tests.sandbox.receiver import new_key
from tests.sandbox.session import Session
from tests.sandbox.world import World

_TOKEN_SECONDS = 12 * 3600
"""Real tokens live about an hour; a person at a terminal would be cut off in the middle."""

_TAKES_A_MINUTE = " (the front: what is asked of it, the worker's next sweep begins)"

_SETTINGS = Path("build/sandbox/local.settings.json")

_ENTRY = re.compile(r"\d{4}-\d\d-\d\d \S+ (?P<level>[A-Z]+) (?P<logger>\S+) ")


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.serve", description=__doc__)
    parser.add_argument("--faults", choices=sorted(PRESETS), default="none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apart", action="store_true", help="front, worker and broker as apps of their own")
    chosen = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        asyncio.run(_serve(console, chosen.faults, chosen.seed, apart=chosen.apart))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("\nstopped; nothing is left running")
        return 0
    except (AzuriteError, AppFailedToLoad) as error:
        console.print(str(error), style="red")
        return 2
    return 0


async def _serve(console: Console, faults: str, seed: int, *, apart: bool) -> None:
    end_tidily_when_told()
    folder = Path(tempfile.mkdtemp(prefix="tenantry-sandbox-"))
    try:
        with Session(folder) as session:
            key = new_key()
            async with World(
                folder=folder,
                session=session,
                faults=PRESETS[faults](seed),
                seals=True,
                receiving=True,
                apart=apart,
                settings={"TENANTRY_FINANCE_KEY": key},
            ) as world:
                # Time jumps over every wait but that for an approver.
                world.host.be_patient_with(RUN_KIND)
                guard_access(world.fabrikam)
                subscription, engineers = stock_azure(world.clouds, world.people)
                _write_settings(world)
                _tell(console, world)
                _tell_of_azure(console, world, subscription, engineers)
                _tell_of_activations(console, world, subscription, engineers, key)
                console.rule("The app's log")
                await _follow(world.log)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_settings(world: World) -> None:
    _SETTINGS.parent.mkdir(parents=True, exist_ok=True)
    _SETTINGS.write_text(json.dumps(world.core_tools_settings(), indent=2), encoding="utf-8")


async def _follow(log: Path) -> None:
    """Show what the app itself logs, and every warning; the libraries' chatter stays in the file."""
    shown = False
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            while line := lines.readline():
                if entry := _ENTRY.match(line):
                    shown = entry["logger"].startswith("shared") or entry["level"] not in ("DEBUG", "INFO")
                if shown:
                    sys.stdout.write(line)
            sys.stdout.flush()
            await asyncio.sleep(0.2)


def _tell(console: Console, world: World) -> None:
    people, app = world.people, world.host.url
    operator = world.token(people.operator, OPERATE, READ, lifetime=_TOKEN_SECONDS)
    reader = world.token(people.reader, READ, lifetime=_TOKEN_SECONDS)
    auditor = world.token(people.reader, AUDIT, lifetime=_TOKEN_SECONDS)
    ana = world.token(people.ana, lifetime=_TOKEN_SECONDS)
    _, audit = world.accounts
    seals = world.seals_account.connection_string() if world.seals_account else ""
    tenant = f"{app}/api/tenants/{world.fabrikam.id}"
    console.rule("The sandbox is up; Ctrl-C ends it")
    rows = (
        ("app", f"{app}/api" + _TAKES_A_MINUTE * (world.worker is not world.host)),
        ("Entra", world.clouds.authority),
        ("Microsoft Graph", f"{world.clouds.graph}/v1.0"),
        ("Azure", world.clouds.arm),
        ("Table Storage", world.store.url),
        ("trust", f"{world.certificates.bundle} (curl --cacert; a browser will warn)"),
        ("alarms go to", f"{world.receiver.webhook_url}, checked by its key, and to a Teams workflow"),
        ("recording", str(world.recording)),
        ("app's log", str(world.log)),
        ("func start", f"{_SETTINGS} is for the Core Tools; see README"),
        ("Contoso", f"{world.contoso.id} (source tenant)"),
        ("Fabrikam", f"{world.fabrikam.id} (target tenant; {people.administrator.user_principal_name} consents)"),
        ("SOC analysts", f"{people.analysts.id} (group: Ana, Ben, Cleo)"),
    )
    for name, value in rows:
        console.print(f"{name:16} {value}")
    body = json.dumps({**world.fabrikam_request(), "features": ["hunting"]})
    console.print(
        f"""
Paste these, then open the consent link of the answer in a browser (as Fabrikam's administrator):

OPERATOR='{operator}'
READER='{reader}'
AUDITOR='{auditor}'
ANA='{ana}'
curl -si -X POST {app}/api/tenants -H "Authorization: Bearer $OPERATOR" -H 'Content-Type: application/json' -d '{body}'
curl -s {tenant} -H "Authorization: Bearer $READER"
curl -s {app}/api/tenants -H "Authorization: Bearer $READER"
curl -s -X POST {tenant}/retry -H "Authorization: Bearer $OPERATOR"
curl -s -X PUT {tenant}/analysts -H "Authorization: Bearer $OPERATOR" -H 'Content-Type: application/json' \
  -d '{{"userIds": ["{people.ana.object_id}", "{people.ben.object_id}"]}}'
curl -s -X PATCH {tenant} -H "Authorization: Bearer $OPERATOR" -H 'Content-Type: application/json' -d '{{"duration": "P90D"}}'
curl -s -X POST {tenant}/analysts/confirm -H "Authorization: Bearer $OPERATOR"
curl -s -X POST {tenant}/cancel -H "Authorization: Bearer $OPERATOR"
curl -s -X DELETE "{tenant}?dryRun=true" -H "Authorization: Bearer $OPERATOR"
curl -si -X DELETE {tenant} -H "Authorization: Bearer $OPERATOR"
curl -s {tenant}/kit -H "Authorization: Bearer $READER"
curl -s -X POST {tenant}/checklist/{people.ana.object_id} -H "Authorization: Bearer $ANA" \
  -H 'Content-Type: application/json' -d '{{"item": "role"}}'
curl -s "{app}/api/audit?format=csv" -H "Authorization: Bearer $AUDITOR"
TENANTRY_AUDIT_TABLES_CONNECTION_STRING='{audit.connection_string()}' \
  TENANTRY_AUDIT_BLOBS_CONNECTION_STRING='{seals}' .venv/bin/python -m shared.auditing verify
curl -s {app}/api/outbox -H "Authorization: Bearer $READER"
curl -s {app}/api/openapi.json
curl -si {app}/api/health
"""
    )


def _tell_of_azure(console: Console, world: World, subscription: Subscription, engineers: Group) -> None:
    """Its engineers' eligibility ends soon: once declared, a renewal extends it."""
    api = f"{world.host.url}/api"
    wanted = {"role": "Virtual Machine Contributor", "groups": [engineers.id], "durationDays": 180}
    declared, renewed = {"eligibilities": [wanted]}, {"subscriptionIds": [subscription.id]}
    console.print(f"{subscription.display_name:16} {subscription.id} (subscription of Contoso)")
    console.print(
        f"""{engineers.display_name:16} {engineers.id} (group: Emil)

curl -s -X PUT {api}/subscriptions/{subscription.id} -H "Authorization: Bearer $OPERATOR" \
  -H 'Content-Type: application/json' -d '{json.dumps(declared)}'
curl -s -X POST {api}/renewals -H "Authorization: Bearer $OPERATOR" -H 'Content-Type: application/json' \
  -d '{json.dumps(renewed)}'
curl -s "{api}/eligibilities?endingWithinDays=30" -H "Authorization: Bearer $READER"
curl -s {api}/subscriptions/{subscription.id} -H "Authorization: Bearer $READER"
"""
    )


def _tell_of_activations(
    console: Console, world: World, subscription: Subscription, engineers: Group, key: str
) -> None:
    """The role is locked down, Emil asks, finance and Ivan answer."""
    people, api = world.people, f"{world.host.url}/api"
    emil = world.token(people.engineer, REQUEST, lifetime=_TOKEN_SECONDS)
    ivan = world.token(people.ivan, APPROVE, lifetime=_TOKEN_SECONDS)
    body = {
        "eligibilities": [{"role": "Virtual Machine Contributor", "groups": [engineers.id]}],
        "lockDown": {
            "approvers": {"groups": [people.finance.id], "users": [people.ivan.object_id]},
            "budget": {"amount": "5000"},
            "money": {"finance": [people.fiona.object_id], "financeAbove": "100"},
        },
    }
    plan = {"region": "westeurope", "days": 10, "vms": [{"size": "Standard_D4s_v5", "count": 2}]}
    asked = {"subscriptionId": subscription.id, "hours": 2, "reason": "A build machine", "plan": plan}
    verdict = {"request": "$ID", "verdict": "approve", "approver": people.fiona.object_id, "reason": "Planned"}
    message = {"type": "finance.verdict", "timestamp": "2026-03-02T09:00:00Z", "data": verdict}
    quoted = json.dumps(message).replace('"', r"\"")
    secret = base64.b64decode(key.removeprefix("whsec_")).hex()
    json_type = "-H 'Content-Type: application/json'"
    console.print(
        f"""Lock the role down, look at the price, ask (as Emil), let finance agree, approve (as Ivan):

EMIL='{emil}'
IVAN='{ivan}'
curl -s -X PUT {api}/subscriptions/{subscription.id} -H "Authorization: Bearer $OPERATOR" {json_type} \
  -d '{json.dumps(body)}'
curl -s -X POST {api}/activation-requests -H "Authorization: Bearer $EMIL" {json_type} \
  -d '{json.dumps({**asked, "dryRun": True})}'
ID=$(curl -s -X POST {api}/activation-requests -H "Authorization: Bearer $EMIL" {json_type} \
  -d '{json.dumps(asked)}' | grep -o '"id":"[^"]*' | head -1 | cut -d'"' -f4)
curl -s {api}/activation-requests -H "Authorization: Bearer $READER"
curl -s {api}/activation-requests/$ID -H "Authorization: Bearer $IVAN"
AT=$(date +%s); BODY="{quoted}"
SIGNATURE=$(printf '%s' "msg_1.$AT.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:{secret} -binary | base64)
curl -s -X POST {api}/webhooks/finance {json_type} -H "webhook-id: msg_1" -H "webhook-timestamp: $AT" \
  -H "webhook-signature: v1,$SIGNATURE" -d "$BODY"
curl -s -X POST {api}/activation-requests/$ID/decision -H "Authorization: Bearer $IVAN" {json_type} \
  -d '{{"decision": "approve", "reason": "Within the budget"}}'
curl -s -X POST {api}/activation-requests/$ID/release -H "Authorization: Bearer $EMIL"

Or decide in a browser: {api}/approvals (sign in as {people.ivan.display_name}; the simulated Entra's certificate is of its
own making, so the browser has to be told to go on)
"""
    )


if __name__ == "__main__":
    sys.exit(main())
