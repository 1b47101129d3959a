"""Writes the tables of README.md that are made from code. `--check` only tells whether they are up to date."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from shared.api import OPERATIONS
from shared.azure_permissions import AZURE_CALLS, DELEGATED, azure_actions
from shared.broker_permissions import BROKER_CALLS, broker_actions
from shared.permissions import CALLS, MULTI_TENANT, Registration, needed
from shared.running.acts import ACTS
from shared.settings import NAMES

README = Path(__file__).parents[1] / "README.md"


def routes() -> str:
    """Every HTTP operation: whom it is for, and what it does."""
    lines = ["| Route | App role | Does |", "|---|---|---|"]
    for one in OPERATIONS:
        query = "&".join(f"{parameter.name}=" for parameter in one.query)
        who = " or ".join(f"`{role}`" for role in one.who) if isinstance(one.who, tuple) else one.who
        lines.append(f"| `{one.method} /api/{one.path}{'?' if query else ''}{query}` | {who} | {one.told} |")
    return "\n".join(lines)


def permissions() -> str:
    """What each registration may do, and why."""
    lines = ["| Registration | Where | Permission | For |", "|---|---|---|---|"]
    for registration in Registration:
        feature = next((act.feature for act in ACTS if registration in act.targets and act.feature), None)
        where = "each target" if registration in MULTI_TENANT else "source"
        where += f" that wants {feature}" if feature else ""
        for name in needed(registration):
            why = dict.fromkeys(
                call.why for call in CALLS if registration in call.registrations and name in call.permissions
            )
            lines.append(f"| {registration.value} | {where} | `{name}` | {'; '.join(why)} |")
    why = dict.fromkeys(call.why for call in AZURE_CALLS if call.delegated)
    delegated = f"`{DELEGATED}` of Azure Service Management, delegated"
    lines.append(f"| {Registration.API.value} | source | {delegated} | {'; '.join(why)} |")
    return "\n".join(lines)


def azure() -> str:
    """What the custom role on the managed subscriptions may do, and why."""
    lines = ["| Action | For |", "|---|---|"]
    for name in azure_actions():
        why = dict.fromkeys(call.why for call in AZURE_CALLS if name in call.permissions)
        lines.append(f"| `{name}` | {'; '.join(why)} |")
    return "\n".join(lines)


def broker() -> str:
    """What the custom role of the broker may do, and why."""
    lines = ["| Action | For |", "|---|---|"]
    for name in broker_actions():
        why = dict.fromkeys(call.why for call in BROKER_CALLS if name in call.permissions)
        lines.append(f"| `{name}` | {'; '.join(why)} |")
    return "\n".join(lines)


def settings() -> str:
    """Every setting and what it is."""
    return "\n".join(["| Setting | Is |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in NAMES.items())])


def _filled(table: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found[1]}\n{table}\n\n{found[2]}"


def rendered(text: str) -> str:
    """README with its tables made anew."""
    tables = {
        "routes": routes(),
        "permissions": permissions(),
        "azure": azure(),
        "broker": broker(),
        "settings": settings(),
    }
    for name, table in tables.items():
        block = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = block.sub(_filled(table), text)
    return text


def main() -> int:
    """Write, or check."""
    now = README.read_text(encoding="utf-8")
    wanted = rendered(now)
    if "--check" in sys.argv:
        return 0 if now == wanted else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
