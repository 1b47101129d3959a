"""GET /api/audit and the verifier: what an auditor sees is what was done, and what somebody changed is found."""

import csv
import io
import subprocess
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from azure.data.tables.aio import TableServiceClient

from shared.audit import Audit
from shared.chain import Deed, Entry
from shared.rows import Row, to_entity
from tests.app.answers import PROBLEM, content_type
from tests.app.verifier import run_verifier
from tests.flows.scene import Scene
from tests.sandbox.population import APP_ROLES, AUDIT, OPERATE, READ
from tests.unit.making import ANA, NOON, TARGET

pytestmark = pytest.mark.sampled(6)


def auditor(scene: Scene) -> str:
    return scene.world.token(scene.world.people.reader, AUDIT)


async def read(scene: Scene, query: str = "") -> dict[str, Any]:
    answer = await scene.call("GET", f"/api/audit{query}", token=auditor(scene))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def written(audit: Audit, count: int, subject: str = TARGET, **changes: Any) -> list[Entry]:
    """A chain of its own, oldest first."""
    entries = []
    for number in range(count):
        deed = Deed(
            at=NOON,
            registration="Tenantry Access",
            on_whose_word=ANA,
            tenant_id=subject,
            act=9,
            run=1,
            what=f"deed {number}",
            why="act 9 of run 1",
            object_name="eligibility",
            wanted=msgspec.Raw(b'{"days":180}'),
            before=msgspec.Raw(b"null"),
            outcome="done",
            request_id="request",
        )
        entry = await audit.next_entry(subject, msgspec.structs.replace(deed, **changes))
        assert await audit.append(entry)
        entries.append(entry)
    return entries


async def test_every_privileged_write_of_an_onboarding_is_told_the_newest_first(scene: Scene) -> None:
    await scene.onboarded()

    told = (await read(scene, f"?subject={scene.target}"))["value"]

    entries = await scene.entries()
    assert [one["hash"] for one in told] == [one.hash for one in reversed(entries)]
    assert {one["onWhoseWord"] for one in told} == {scene.world.people.operator.object_id}
    last = told[0]
    assert (last["act"], last["outcome"], last["registration"]) == (9, "done", "Tenantry Access")
    assert last["wanted"]["days"] == 180
    assert told == (await read(scene))["value"]


async def test_a_long_trail_comes_in_pages_and_every_entry_once(scene: Scene) -> None:
    entries = await written(scene.audit, 230)
    found, query = [], ""

    for _ in range(5):
        page = await read(scene, query)
        found += [one["sequence"] for one in page["value"]]
        if "cursor" not in page:
            break
        query = f"?cursor={page['cursor']}"

    assert found == [one.sequence for one in reversed(entries)]


async def test_a_spreadsheet_gets_the_whole_trail_and_no_formula(scene: Scene) -> None:
    await written(scene.audit, 3, outcome='=HYPERLINK("http://elsewhere")')
    await written(scene.audit, 1, subject=scene.target, why='two, "quoted"\nlines')

    answer = await scene.call("GET", "/api/audit?format=csv", token=auditor(scene))

    assert content_type(answer) == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 4
    assert {row["outcome"] for row in rows if row["subject"] == TARGET} == {'\'=HYPERLINK("http://elsewhere")'}
    assert [row["why"] for row in rows if row["subject"] == scene.target] == ['two, "quoted"\nlines']
    assert {row["wanted"] for row in rows} == {'{"days":180}'}


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_from_leaves_out_what_was_before(scene: Scene, form: str) -> None:
    later = NOON + timedelta(hours=6)
    await written(scene.audit, 2)
    await written(scene.audit, 1, at=later, what="the last one")

    answer = await scene.call(
        "GET", f"/api/audit?subject={TARGET}&from={later:%Y-%m-%dT%H:%M:%SZ}&format={form}", token=auditor(scene)
    )

    assert answer.text.count("the last one") == 1
    assert "deed 0" not in answer.text


@pytest.mark.parametrize(
    ("query", "field"),
    [("subject=fabrikam", "subject"), ("from=yesterday", "from"), ("format=xml", "format"), ("cursor=%25", "cursor")],
)
async def test_a_wrong_question_is_answered_by_the_name_of_its_field(scene: Scene, query: str, field: str) -> None:
    answer = await scene.call("GET", f"/api/audit?{query}", token=auditor(scene))

    assert (answer.status_code, content_type(answer)) == (400, PROBLEM)
    assert answer.json()["field"] == field


async def test_only_an_auditor_may_look(scene: Scene) -> None:
    others = [role for role in APP_ROLES if role != AUDIT]
    assert {OPERATE, READ} <= set(others)

    answer = await scene.call("GET", "/api/audit", token=scene.world.token(scene.world.people.operator, *others))

    assert answer.status_code == 403
    assert AUDIT in answer.json()["detail"]
    assert (await scene.call("GET", "/api/audit", token=None)).status_code == 401


async def test_the_verifier_says_that_chains_hold_and_names_the_first_broken_entry(scene: Scene) -> None:
    await written(scene.audit, 4)
    await written(scene.audit, 2, subject=scene.target)

    holds = verify(scene)
    assert holds.returncode == 0, holds.stderr
    assert "2 chains, 0 broken" in holds.stdout

    [_, second, *_] = await scene.audit.entries(TARGET)
    forged = msgspec.structs.replace(second, deed=msgspec.structs.replace(second.deed, outcome="refused"))
    await _overwrite(scene, second, msgspec.json.encode(forged).decode())

    broken = verify(scene)
    assert broken.returncode == 1
    assert f"BROKEN at {TARGET} entry 2" in broken.stdout
    assert verify(scene, "--subject", scene.target).returncode == 0


async def test_a_row_that_holds_no_entry_is_named_and_hides_no_other(scene: Scene) -> None:
    await written(scene.audit, 3)
    await written(scene.audit, 1, subject=scene.target)
    [_, second, _] = await scene.audit.entries(TARGET)
    await _overwrite(scene, second, "{")

    told = verify(scene)
    assert told.returncode == 1
    assert f"BROKEN at {TARGET} row" in told.stdout
    assert f"{scene.target}  1 entries  holds" in told.stdout

    found = (await read(scene))["value"]
    assert len(found) == 4
    assert [one["subject"] for one in found if "unreadable" in one] == [TARGET]
    answer = await scene.call("GET", "/api/audit?format=csv", token=auditor(scene))
    assert len(list(csv.DictReader(io.StringIO(answer.text, newline="")))) == 4


async def test_an_entry_in_another_s_place_is_no_entry(scene: Scene) -> None:
    [entry] = await written(scene.audit, 1)
    row = Row(partition=scene.target, key=f"{10**12 - 1:012d}", body=msgspec.json.encode(entry), nonce="")
    _, account = scene.world.accounts
    async with TableServiceClient.from_connection_string(account.connection_string()) as service:
        await service.get_table_client("Audit").create_entity(to_entity(row))

    told = verify(scene)

    assert told.returncode == 1
    assert f"BROKEN at {scene.target} row" in told.stdout


async def test_nothing_to_verify_is_no_success_and_makes_no_table(scene: Scene) -> None:
    state, _ = scene.world.accounts

    assert verify(scene, store=state.connection_string()).returncode == 2
    async with TableServiceClient.from_connection_string(state.connection_string()) as service:
        assert "Audit" not in [table.name async for table in service.list_tables()]
    await written(scene.audit, 1)
    assert verify(scene, "--subject", scene.target).returncode == 2


async def test_a_store_that_cannot_be_read_is_neither_whole_nor_broken(scene: Scene) -> None:
    told = verify(scene, store="")

    assert told.returncode == 2
    assert "TENANTRY_AUDIT_TABLES" in told.stderr


def verify(scene: Scene, *more: str, store: str | None = None) -> subprocess.CompletedProcess[str]:
    """Against the world's audit account."""
    _, account = scene.world.accounts
    return run_verifier(*more, tables=account.connection_string() if store is None else store)


async def _overwrite(scene: Scene, entry: Entry, body: str) -> None:
    """What the app's identity may not do: change a row."""
    _, account = scene.world.accounts

    async with TableServiceClient.from_connection_string(account.connection_string()) as service:
        table = service.get_table_client("Audit")
        key = f"{10**12 - entry.sequence:012d}"
        entity = await table.get_entity(entry.subject, key)
        entity["body0"] = body
        await table.upsert_entity(entity)
