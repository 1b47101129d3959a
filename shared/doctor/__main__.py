"""`python -m shared.doctor [--tenant ID]... [--subscription ID]... [--json]`: exit code 0 when nobody has to do anything, 1
when somebody has, 2 for wrong usage or settings.

Run it with the app's settings where the app's user-assigned identity is attached, for half of what is open is what our own
registrations may do, and nobody else's rights would answer that. A person's Azure CLI would not do: its token for Graph lacks
the scopes of PIM and of policies, whatever roles the person holds (azure-cli issues 23906, 26471, 33778).
"""

import argparse
import asyncio
import logging
import os
import sys

from msgspec import DecodeError

from shared.clock import SystemClock
from shared.doctor.examining import Wanted, opened
from shared.doctor.findings import Report
from shared.doctor.health import references
from shared.doctor.report import as_json, as_text
from shared.errors import AutomationError
from shared.identifiers import SubscriptionId, TenantId, as_guid
from shared.services import new_id
from shared.settings import NAMES, Settings, read_settings


def main() -> int:
    """Parse, examine, tell."""
    parser = argparse.ArgumentParser(prog="python -m shared.doctor", description=__doc__)
    parser.add_argument(
        "--tenant", action="append", default=[], type=_guid, help="a target that is Ready; may be repeated"
    )
    parser.add_argument(
        "--subscription", action="append", default=[], type=_guid, help="a declared one; may be repeated"
    )
    parser.add_argument(
        "--defender", choices=["yes", "no"], help="whether the tenants have Defender, where you know it"
    )
    parser.add_argument("--reads-only", action="store_true", help="send no request that is validated only")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    chosen = parser.parse_args()
    unresolved = references((name, os.environ.get(name, "")) for name in NAMES)  # noqa: TID251 - before it is read
    wanted = Wanted(
        tenants=tuple(TenantId(one) for one in chosen.tenant),
        subscriptions=tuple(SubscriptionId(one) for one in chosen.subscription),
        defender=None if chosen.defender is None else chosen.defender == "yes",
        validates=not chosen.reads_only,
    )
    # What a token is refused for is told in the report.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    try:
        report = asyncio.run(_examined(read_settings(), wanted))
    except (AutomationError, DecodeError) as error:
        if not unresolved.sound:
            print(f"key vault: {unresolved.told}: {unresolved.do}", file=sys.stderr)  # noqa: T201
        print(f"cannot examine: {error}", file=sys.stderr)  # noqa: T201
        return 2
    report = Report(checks=(unresolved, *report.checks), facts=report.facts)
    print(as_json(report) if chosen.json else as_text(report))  # noqa: T201
    return report.exit_code


async def _examined(settings: Settings, wanted: Wanted) -> Report:
    async with opened(settings, SystemClock(), new_id) as doctor:
        return await doctor.examine(wanted)


def _guid(text: str) -> str:
    found = as_guid(text)
    if found is None:
        raise argparse.ArgumentTypeError("is not a GUID")
    return found


if __name__ == "__main__":
    sys.exit(main())
