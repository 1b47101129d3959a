"""`python -m shared.auditing verify [--subject ID]`: exit code 0 when every chain holds, 1 when one does not, 2 when
there was nothing to read, or it could not be read.

Reads the audit account named by TENANTRY_AUDIT_TABLES_ENDPOINT as whoever is signed in with the Azure CLI, or by
TENANTRY_AUDIT_TABLES_CONNECTION_STRING.
"""

import argparse
import asyncio
import sys

from azure.core.exceptions import AzureError
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import AzureCliCredential

from shared.audit import Audit
from shared.auditing.verifying import verdicts
from shared.clock import SystemClock
from shared.errors import SettingsError, StoreConflict, StoreUnavailable
from shared.settings import StoreSettings, read_audit_store
from shared.tables import Table


def main() -> int:
    """Parse, check, tell."""
    parser = argparse.ArgumentParser(prog="python -m shared.auditing", description=__doc__)
    parser.add_argument("command", choices=["verify"])
    parser.add_argument("--subject", default="", help="one tenant's id; every chain unless given")
    chosen = parser.parse_args()
    try:
        return asyncio.run(_verify(read_audit_store(), chosen.subject.lower()))
    except (SettingsError, StoreConflict, StoreUnavailable, AzureError) as error:
        print(f"could not be read: {error}", file=sys.stderr)  # noqa: T201
        return 2


async def _verify(store: StoreSettings, subject: str) -> int:
    chains = broken = 0
    async with AzureCliCredential() as credential, _service(store, credential) as service:
        audit = Audit(Table(service.get_table_client, "Audit", SystemClock(), creates=False))
        async for verdict in verdicts(audit, subject):
            chains += 1
            broken += bool(verdict.broken)
            told = f"BROKEN at {verdict.broken}" if verdict.broken else f"holds; head {verdict.head}"
            print(f"{verdict.subject}  {verdict.entries} entries  {told}")  # noqa: T201
    print(f"{chains} chains, {broken} broken")  # noqa: T201
    if chains == 0:
        print("there is nothing to verify: is this the right account, and the right subject?", file=sys.stderr)  # noqa: T201
        return 2
    return 1 if broken else 0


def _service(store: StoreSettings, credential: AzureCliCredential) -> TableServiceClient:
    if store.connection_string:
        return TableServiceClient.from_connection_string(store.connection_string, retry_total=0)
    return TableServiceClient(endpoint=store.endpoint, credential=credential, retry_total=0)


if __name__ == "__main__":
    sys.exit(main())
