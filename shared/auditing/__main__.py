"""`python -m shared.auditing verify [--subject ID]`: exit code 0 when every chain holds, 1 when one does not, 2 when
there was nothing to read, or it could not be read.

Reads the audit account named by TENANTRY_AUDIT_TABLES_ENDPOINT as whoever is signed in with the Azure CLI, or by
TENANTRY_AUDIT_TABLES_CONNECTION_STRING; and its seals by TENANTRY_AUDIT_BLOBS_ENDPOINT or
TENANTRY_AUDIT_BLOBS_CONNECTION_STRING.
"""

import argparse
import asyncio
import sys

from azure.core.exceptions import AzureError
from azure.identity.aio import AzureCliCredential
from azure.storage.blob.aio import ContainerClient
from msgspec import DecodeError

from shared.audit import Audit
from shared.auditing.verifying import Promises, promises, verdicts
from shared.clock import SystemClock
from shared.errors import SettingsError, StoreConflict, StoreUnavailable
from shared.seals import CONTAINER, Seals
from shared.settings import StoreSettings, read_audit_stores
from shared.tables import Table, service_of


def main() -> int:
    """Parse, check, tell."""
    parser = argparse.ArgumentParser(prog="python -m shared.auditing", description=__doc__)
    parser.add_argument("command", choices=["verify"])
    parser.add_argument("--subject", default="", help="one tenant's id; every chain unless given")
    chosen = parser.parse_args()
    try:
        return asyncio.run(_verify(*read_audit_stores(), chosen.subject.lower()))
    except (SettingsError, StoreConflict, StoreUnavailable, AzureError, DecodeError) as error:
        print(f"could not be read: {error}", file=sys.stderr)  # noqa: T201
        return 2


async def _verify(store: StoreSettings, blobs: StoreSettings | None, subject: str) -> int:
    chains = broken = 0
    sealed = await _sealed(blobs) if blobs else {}
    if blobs is None:
        print("no place of seals is given: only the chains themselves are checked", file=sys.stderr)  # noqa: T201
    async with (
        AzureCliCredential() as credential,
        service_of(store.endpoint, store.connection_string, lambda: credential) as service,
    ):
        audit = Audit(Table(service.get_table_client, "Audit", SystemClock(), creates=False))
        async for verdict in verdicts(audit, subject, sealed):
            chains += 1
            broken += bool(verdict.broken)
            told = (
                f"BROKEN at {verdict.broken}"
                if verdict.broken
                else f"holds; {verdict.seals} seals; head {verdict.head}"
            )
            print(f"{verdict.subject}  {verdict.entries} entries  {told}")  # noqa: T201
    print(f"{chains} chains, {broken} broken")  # noqa: T201
    if chains == 0:
        print("there is nothing to verify: is this the right account, and the right subject?", file=sys.stderr)  # noqa: T201
        return 2
    if blobs and not sealed and not broken:
        print("there are no seals: no night has passed yet, or they are gone", file=sys.stderr)  # noqa: T201
        return 2
    return 1 if broken else 0


async def _sealed(blobs: StoreSettings) -> Promises:
    async with AzureCliCredential() as credential:

        def open_container() -> ContainerClient:
            if blobs.connection_string:
                return ContainerClient.from_connection_string(blobs.connection_string, CONTAINER)
            return ContainerClient(blobs.endpoint, CONTAINER, credential=credential)

        return await promises(Seals(open_container, creates=False).all())


if __name__ == "__main__":
    sys.exit(main())
