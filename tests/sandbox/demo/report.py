"""What the demo leaves: the record, checklists and permissions on the screen, and files for whoever wants to look."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.permissions import SECURITY_READER
from tests.sandbox.demo.activation import Activated
from tests.sandbox.demo.nights import HalfYear
from tests.sandbox.demo.screen import duration
from tests.sandbox.demo.view import ChecklistItem, TenantView, as_text


def summary(
    view: TenantView | None,
    *,
    now: datetime,
    vendor_calls: int,
    half_year: HalfYear | None = None,
    activated: Activated | None = None,
) -> dict[str, object]:
    """The shape that other tools read; seconds are business time. `renewal` and `activation` may not have come: None."""
    renewal = None if half_year is None else _renewal(half_year)
    activation = None if activated is None else _activation(activated)
    if view is None:
        onboarding: dict[str, object] = {"state": None, "acts": [], "vendorCalls": vendor_calls, "eligibilities": []}
        return {"onboarding": onboarding, "renewal": renewal, "activation": activation}
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
                    "wanted": each.wanted,
                    "cappedTo": each.capped_to,
                }
                for each in view.eligibilities
            ],
        },
        "renewal": renewal,
        "activation": activation,
    }


def _renewal(half_year: HalfYear) -> dict[str, object]:
    return {
        "began": half_year.began.isoformat(),
        "ended": half_year.ended.isoformat(),
        "nights": half_year.passed,
        "renewedIn": [{"date": night.date, "renewed": night.renewed} for night in half_year.renewed],
        "eligibilities": [
            {
                "principalId": each.principal_id,
                "endBefore": each.before.isoformat() if each.before else None,
                "endAfter": each.after.isoformat() if each.after else None,
            }
            for each in half_year.eligibilities
        ],
        "vendorCalls": half_year.vendor_calls,
    }


def _activation(found: Activated) -> dict[str, object]:
    return {
        "requestId": found.request_id,
        "estimate": {
            "currency": found.currency,
            "forHours": found.for_hours,
            "forDays": found.for_days,
            "monthly": found.monthly,
        },
        "tamperedWebhook": found.tampered,
        "verdict": found.verdict,
        "decidedBy": found.decided_by,
        "state": found.state,
        "activeUntil": found.until,
        "heldWhileActive": found.held_while_active,
        "heldAfterwards": found.held_afterwards,
        "vendorCalls": found.vendor_calls,
    }


def print_activation(console: Console, found: Activated) -> None:
    """What the engineer's plan costs, line by line, as the approver sees it."""
    console.rule("Virtual Machine Contributor, after finance agreed")
    lines = _table("part", "meter", f"{found.currency} a month, left running")
    for what, meter, monthly in found.lines:
        lines.add_row(what, meter, monthly)
    lines.add_row("all of it", "", found.monthly)
    console.print(lines)
    console.print(
        f"{found.for_hours} {found.currency} in the hours asked for, {found.for_days} in the plan's days; active until "
        f"{found.until}, then {found.state}",
        highlight=False,
    )


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
    eligibilities = _table("eligible in the target", "role", "wanted", "until", "capped to")
    for each in view.eligibilities:
        until = each.end_date_time.date().isoformat() if each.end_date_time else "no end"
        who = people.get(each.principal_id) or each.principal_id
        role = "Security Reader" if each.role_definition_id == SECURITY_READER else each.role_definition_id
        eligibilities.add_row(who, role, each.wanted or "", until, each.capped_to or "")
    console.print(eligibilities)


def print_checklists(console: Console, view: TenantView) -> None:
    """What only people can do, with links; analysts whose lists are the same are named together."""
    lists: dict[tuple[ChecklistItem, ...], list[str]] = {}
    people = {each.object_id: f"{each.display_name} <{each.user_principal_name}>" for each in view.analysts}
    for each in view.checklist:
        lists.setdefault(each.items, []).append(people.get(each.analyst) or each.name or each.analyst)
    for items, names in lists.items():
        _print_items(console, f"Checklist of {', '.join(names)}", items)
    if view.administrator_checklist:
        _print_items(console, "Checklist of the target's administrator", view.administrator_checklist)


def _print_items(console: Console, title: str, items: tuple[ChecklistItem, ...]) -> None:
    console.rule(title)
    for number, item in enumerate(items, 1):
        console.print(f"{number}. {item.title}", markup=False, highlight=False, soft_wrap=True, style="bold")
        for line in (item.text, item.link):
            if line:
                console.print(f"   {line}", markup=False, highlight=False, soft_wrap=True)


def print_proof(console: Console, view: TenantView) -> None:
    """What hunting in the target found."""
    if view.proof is None:
        return
    console.rule("Proof by hunting")
    console.print(view.proof.summary, highlight=False)
    for query in view.proof.queries:
        console.print(query.tells, style="bold", highlight=False)
        table = _table(*query.columns)
        for row in query.rows:
            table.add_row(*("none known" if cell is None else str(cell) for cell in row))
        console.print(table)


def print_permissions(console: Console, view: TenantView, tenants: Mapping[str, str]) -> None:
    """Which registration holds which permission, and where; tenants by id and name."""
    console.rule("Permissions used")
    table = _table("registration", "tenant", "permissions")
    for each in view.permissions:
        table.add_row(each.registration, tenants.get(each.tenant, each.tenant), "\n".join(each.permissions))
    console.print(table)


def print_renewal(console: Console, view: TenantView, half_year: HalfYear) -> None:
    """Half a year later: when each eligibility would have ended, and when it ends now."""
    console.rule(f"Half a year later, on {half_year.ended:%Y-%m-%d}")
    told = ", ".join(f"{night.renewed} in the night of {night.date}" for night in half_year.renewed) or "nothing"
    console.print(f"{half_year.passed} nights; renewed: {told}; {half_year.vendor_calls} calls", highlight=False)
    people = {each.target_object_id: each.display_name for each in view.analysts}
    table = _table("eligible in the target", "would have ended", "ends now")
    for each in half_year.eligibilities:
        ends = (f"{end:%Y-%m-%d}" if end else "no end, or gone" for end in (each.before, each.after))
        table.add_row(people.get(each.principal_id) or each.principal_id, *ends)
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
