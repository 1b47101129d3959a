"""The page that tells what breaks without each permission: rendered from the table and from what the proof found.

A row of the page is one finding. What stands around the rows comes from data alone, so both can be checked apart.
"""

from pathlib import Path

from shared.permissions import Registration, SourceMode, needed
from tests.privilege.proving import Finding
from tests.privilege.weight import LEVELS, NEXT_TO_TIER_0, TIER_0
from tests.sandbox.graph.permissions import UNSETTLED
from tests.sandbox.switches import SWITCHES

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"

type Case = tuple[SourceMode, Registration, str]

CASES: tuple[Case, ...] = tuple(
    (mode, registration, permission)
    for mode in SourceMode
    for registration in Registration
    for permission in needed(registration, mode)
)
"""Every permission that a registration holds, in each mode of a deployment."""


def on_page() -> list[Case]:
    """The cases with a row: both modes only where they differ."""
    return [
        (mode, registration, permission)
        for mode, registration, permission in CASES
        if mode is SourceMode.OWN or needed(registration, mode) != needed(registration)
    ]


def row(case: Case, found: Finding) -> str:
    """What stands on the page for a permission."""
    call = found.call
    breaks = f"{found.flow.name}: `{call.method} {call.path}` ({call.why})"
    for switch_id in sorted(found.switches.flipped):
        breaks += f". Needed if this question is answered the other way: {SWITCHES[switch_id].question} See below"
    return f"{start_of(case)}{breaks} | {_level(case)} | {_tier(case[2])} |"


def start_of(case: Case) -> str:
    """How the row of a case begins."""
    mode, registration, permission = case
    differs = needed(registration, SourceMode.OWN) != needed(registration, SourceMode.ADOPTED)
    where = f"{registration.value}, {mode.value}" if differs else registration.value
    return f"| {where} | `{permission}` | "


def render(rows: list[str]) -> str:
    """The whole page."""
    held = {permission for _, _, permission in CASES}
    parts = [
        _HEAD,
        "\n".join([*_COLUMNS, *rows]),
        "## Which are tier-0\n\n" + _listed(TIER_0, held),
        "Next to them, not among them:\n\n" + _listed(NEXT_TO_TIER_0, held),
        "## What nobody has settled\n\n" + "\n".join(_question(switch_id) for switch_id in UNSETTLED),
    ]
    return "\n\n".join(parts) + "\n"


_HEAD = """\
<!-- Made by `python -m tests.privilege` from shared/permissions.py and from what the proof finds; tests/privilege holds the
page against both. -->

# What breaks without each permission

Each row was proved in the sandbox. With the full set every flow comes to its end. Then the permission is put out of force at
the vendor, while every token goes on claiming it, and the flow named here no longer comes to its end, because the call named
here is refused. No registration holds anything else, and no recorded call came with a token that held more.

*own* and *adopted* are the two values of `TENANTRY_SOURCE_MODE`; only Tenantry Source differs between them.

The level is Microsoft's own, up to 4, for application permissions: `privilegeLevel` in
`permissions/new/permissions.json` of microsoftgraph/microsoft-graph-devx-content at commit 0029347. It is empty where we did
not look it up, and it moves from version to version: read on 2026-08-07, the same file had a 3 for
`RoleEligibilitySchedule.ReadWrite.Directory`. What tier-0 means does not hang on it, and is said below."""

_COLUMNS = (
    "| Registration | Permission | What breaks without it | Level | Tier-0 |",
    "|---|---|---|---|---|",
)


def _level(case: Case) -> str:
    level = LEVELS.get(case[2])
    return "" if level is None else str(level)


def _tier(permission: str) -> str:
    if permission in TIER_0:
        return "**yes**"
    return "next to it" if permission in NEXT_TO_TIER_0 else "no"


def _listed(reasons: dict[str, str], held: set[str]) -> str:
    lines = []
    for permission, reason in reasons.items():
        if permission in held:
            names = dict.fromkeys(registration.value for _, registration, name in CASES if name == permission)
            lines.append(f"- `{permission}` ({', '.join(names)}): {reason}.")
    return "\n".join(lines)


def _question(switch_id: str) -> str:
    one = SWITCHES[switch_id]
    return (
        f"- {one.question} Likelier: {one.default}. Or: {one.other}. Until the doctor has settled it in the real "
        "service, the permission is held, and the flows pass on either side."
    )
