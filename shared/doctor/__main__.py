"""`python -m shared.doctor [--tenant ID]... [--subscription ID]... [--as-me] [--json]`: exit code 0 when nobody has to do
anything, 1 when somebody has, 2 for wrong usage or settings.

Run it with the app's settings where the app's user-assigned identity is attached: it settles all that is open and needs no
change. With --as-me it runs on your own machine as the person who is signed in with the Azure CLI, and says of the rest that
it takes the app's identity.
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
from shared.settings import is_reference, read_settings


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
    parser.add_argument("--as-me", action="store_true", help="as who is signed in with the Azure CLI (az)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    chosen = parser.parse_args()
    wanted = Wanted(
        tenants=tuple(TenantId(one) for one in chosen.tenant),
        subscriptions=tuple(SubscriptionId(one) for one in chosen.subscription),
        defender=None if chosen.defender is None else chosen.defender == "yes",
        validates=not chosen.reads_only,
    )
    # What a token is refused for is told in the report.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    try:
        report = asyncio.run(_examined(wanted, as_person=chosen.as_me))
    except (AutomationError, DecodeError) as error:
        print(f"cannot examine: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print(as_json(report) if chosen.json else as_text(report))  # noqa: T201
    return report.exit_code


async def _examined(wanted: Wanted, *, as_person: bool) -> Report:
    """Secrets stay in the vault: none is needed for this, and a reference to one is as good as none."""
    given = dict(os.environ)  # noqa: TID251 - references are left out before it is read
    settings = read_settings({name: value for name, value in given.items() if not is_reference(value)})
    async with opened(settings, SystemClock(), new_id, as_person=as_person) as doctor:
        report = await doctor.examine(wanted)
    return report if as_person else Report(checks=(references(given.values()), *report.checks), facts=report.facts)


def _guid(text: str) -> str:
    found = as_guid(text)
    if found is None:
        raise argparse.ArgumentTypeError("is not a GUID")
    return found


if __name__ == "__main__":
    sys.exit(main())
