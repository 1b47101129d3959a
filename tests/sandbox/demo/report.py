"""What the demo leaves: the record, checklists and permissions on the screen, and files for whoever wants to look."""

import json
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.sandbox.demo.screen import duration
from tests.sandbox.demo.view import TenantView, as_text


def summary(view: TenantView | None, *, now: datetime, vendor_calls: int) -> dict[str, object]:
    """The shape that other tools read; seconds are business time."""
    if view is None:
        return {"onboarding": {"state": None, "acts": [], "vendorCalls": vendor_calls, "eligibilities": []}}
    return {
        "onboarding": {
            "state": view.state,
            "acts": [{"name": act.name, "state": act.state, "seconds": act.seconds(now)} for act in view.acts],
            "vendorCalls": vendor_calls,
            "eligibilities": [
                {
                    "principalId": each.principal_id,
                    "roleDefinitionId": each.role_definition_id,
                    "endDateTime": each.end_date_time.isoformat() if each.end_date_time else None,
                    "cappedBy": each.capped_by,
                }
                for each in view.eligibilities
            ],
        }
    }


def write_json(path: Path, value: object) -> None:
    """Whole or not at all: two demos at once may write the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{id(value):x}")
    draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def print_record(console: Console, view: TenantView, now: datetime) -> None:
    """The tenant's record, for people. On a terminal the acts stand just above, where they ran."""
    console.rule(f"{view.display_name or view.tenant_id}: {view.state}")
    console.print(f"tenant {view.tenant_id}, run {view.run}", highlight=False)
    for line in view.what_to_do:
        console.print(f"to do: {line}", markup=False, highlight=False, soft_wrap=True)
    for warning in view.warnings:
        console.print(f"warning: {as_text(warning)}", markup=False, highlight=False, soft_wrap=True)
    if problem := as_text(view.problem):
        console.print(f"problem: {problem}", markup=False, highlight=False, soft_wrap=True)
    acts = _table("act", "", "state", "took (sandbox time)", "detail")
    for act in view.acts:
        acts.add_row(
            str(act.number),
            act.name,
            act.state,
            duration(act.seconds(now)),
            as_text(act.problem) or act.detail or "",
        )
    if not console.is_terminal:
        console.print(acts)
    people = {each.target_object_id: each.display_name for each in view.analysts}
    eligibilities = _table("eligible in the target", "role", "until", "capped by")
    for each in view.eligibilities:
        until = each.end_date_time.date().isoformat() if each.end_date_time else "no end"
        who = people.get(each.principal_id) or each.principal_id
        eligibilities.add_row(who, each.role_definition_id, until, as_text(each.capped_by))
    console.print(eligibilities)


def print_checklists(console: Console, view: TenantView) -> None:
    """What only the analysts themselves can do, each with their links."""
    for each in view.checklist:
        console.rule(f"Checklist: {_person(each.analyst, view)}")
        for number, item in enumerate(each.items, 1):
            console.print(f"{number}. {item.title}", markup=False, highlight=False, soft_wrap=True, style="bold")
            for line in (item.text, item.link):
                if line:
                    console.print(f"   {line}", markup=False, highlight=False, soft_wrap=True)


def print_permissions(console: Console, view: TenantView) -> None:
    """Which registration holds which permission, and where."""
    console.rule("Permissions used")
    table = _table("registration", "tenant", "permissions")
    for each in view.permissions:
        table.add_row(each.registration, each.tenant, "\n".join(each.permissions))
    console.print(table)


def _person(analyst: object, view: TenantView) -> str:
    for each in view.analysts:
        if analyst in (each.object_id, each.user_principal_name):
            return f"{each.display_name} <{each.user_principal_name}>"
    return as_text(analyst)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
