"""Table Storage, made safe for lost answers: the only module that speaks to azure-data-tables.

A row is a JSON body (split over properties, since one holds 64 KiB at most) and the nonce of its last writer.
When an answer is lost, or the store says "exists" or "changed", the row is read back: our own nonce means that our
write landed. Waits of seconds are made here and nowhere else; the SDK's own retries are off.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.clock import Clock
from shared.errors import BadRequest, StoreConflict, StoreUnavailable
from shared.proxies import is_proxied
from shared.rows import Row, from_entity, to_entity

_log = logging.getLogger(__name__)

BATCH_ROWS = 100
"""Rows in one entity-group transaction (Table Storage limit)."""

_TRIES = 6
_FIRST_WAIT_SECONDS = 0.4
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


class Write(StrEnum):
    """What a transaction does with a row."""

    INSERT = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One row's part in a transaction. An UPDATE demands the row's ETag."""

    write: Write
    row: Row


class Stale(Exception):
    """The row changed since it was read, or was there already."""


type _Step = tuple[str, dict[str, Any], dict[str, Any]]
"""An operation, as the SDK takes it: its name, the entity, how."""

type OpenTable = Callable[[str], TableClient]
"""Gives the SDK's client of a table."""


def service_of(
    endpoint: str, connection_string: str, credential: Callable[[], AsyncTokenCredential]
) -> TableServiceClient:
    """An account's tables: by its connection string, where there is one; else by the identity of the credential."""
    # Retries are ours: only here is it known what a repeat would do.
    options: dict[str, Any] = {"retry_total": 0, "use_env_settings": is_proxied()}
    if connection_string:
        return TableServiceClient.from_connection_string(connection_string, **options)
    return TableServiceClient(endpoint=endpoint, credential=credential(), **options)


def _is_transient(error: AzureError) -> bool:
    return not isinstance(error, HttpResponseError) or error.status_code is None or error.status_code in _TRANSIENT


def _lacks_table(error: AzureError) -> bool:
    return str(getattr(error, "error_code", "")).rpartition(".")[2].lower() in ("tablenotfound", "table_not_found")


class Table:
    """One table. Reads answer what is there; writes are safe to repeat."""

    def __init__(self, open_table: OpenTable, name: str, clock: Clock, *, creates: bool = True) -> None:
        self._client = open_table(name)
        self._name = name
        self._clock = clock
        self._creates = creates

    async def get(self, partition: str, key: str) -> Row | None:
        """One row, or None."""

        async def read() -> Row | None:
            try:
                return from_entity(await self._client.get_entity(partition, key))
            except ResourceNotFoundError:
                return None

        return await self._patiently(read)

    async def partition(self, partition: str, *, first: str = "", before: str = "") -> list[Row]:
        """All rows of a partition in key order, or those with keys from `first` up to, but not including, `before`."""
        query, parameters = "PartitionKey eq @p", {"p": partition}
        if first:
            query, parameters = query + " and RowKey ge @f", {**parameters, "f": first}
        if before:
            query, parameters = query + " and RowKey lt @b", {**parameters, "b": before}

        async def read() -> list[Row]:
            found = self._client.query_entities(query, parameters=parameters)
            return [from_entity(entity) async for entity in found]

        return await self._patiently(read)

    async def first(self, partition: str) -> Row | None:
        """The first row of a partition in key order, or None."""

        async def read() -> Row | None:
            found = self._client.query_entities("PartitionKey eq @p", parameters={"p": partition}, results_per_page=1)
            async for entity in found:
                return from_entity(entity)
            return None

        return await self._patiently(read)

    async def page(self, query: str, parameters: Mapping[str, str], *, size: int, token: Any) -> tuple[list[Row], Any]:
        """One page of a query (empty: of the table) and the token of the next page, None at the end.

        Raises BadRequest for a token that the store did not give out: tokens travel through callers' hands.
        """

        async def read() -> tuple[list[Row], Any]:
            if query:
                found = self._client.query_entities(query, parameters=dict(parameters), results_per_page=size)
            else:
                found = self._client.list_entities(results_per_page=size)
            pages = found.by_page(continuation_token=token)
            try:
                async for page in pages:
                    rows = [from_entity(entity) async for entity in page]
                    return rows, pages.continuation_token  # type: ignore[attr-defined]  # the SDK's pager has it, its type hint not
            except HttpResponseError as error:
                if token is not None and error.status_code == 400:
                    raise BadRequest("cursor", "was not given out by this route") from error
                raise
            return [], None

        return await self._patiently(read)

    async def insert(self, row: Row) -> Row | None:
        """Insert if absent. None means inserted (or found to be our own earlier try); else the row that is there."""

        async def write() -> Row | None:
            try:
                await self._created(to_entity(row))
            except ResourceExistsError:
                there = await self._client.get_entity(row.partition, row.key)
                found = from_entity(there)
                return None if found.nonce == row.nonce else found
            return None

        return await self._patiently(write)

    async def replace(self, row: Row) -> None:
        """Replace the row that was read. Raises Stale when somebody else changed it meanwhile.

        The row's nonce is this write's own: with one that another write has, that one's is taken for this one's.
        """

        async def write() -> None:
            try:
                await self._client.update_entity(
                    to_entity(row),
                    mode=UpdateMode.REPLACE,
                    etag=row.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                if _lacks_table(error):
                    raise
                await self._landed_or_stale(row, error)

        await self._patiently(write)

    async def upsert(self, row: Row) -> None:
        """Insert or replace, whatever is there. For hints only."""

        async def write() -> None:
            await self._client.upsert_entity(to_entity(row), mode=UpdateMode.REPLACE)

        await self._patiently(write)

    async def delete(self, partition: str, key: str, *, etag: str = "") -> None:
        """Delete a row; one that is gone already is fine. With an ETag raises Stale when it has changed."""

        async def write() -> None:
            try:
                if etag:
                    await self._client.delete_entity(
                        partition, key, etag=etag, match_condition=MatchConditions.IfNotModified
                    )
                else:
                    await self._client.delete_entity(partition, key)
            except ResourceModifiedError as error:
                raise Stale from error
            except ResourceNotFoundError:
                return

        await self._patiently(write)

    async def transact(self, operations: Sequence[Operation], *, guard: Row) -> str:
        """All operations of one partition, or none. `guard` is the last of their rows: its nonce tells whether we wrote.

        Gives the guard's new ETag. Raises Stale when a row changed meanwhile. One row alone is written by itself, which costs
        the SDK a third.
        """
        steps = [_step(operation) for operation in operations]
        # Where a row alone is inserted, the SDK does not say what was not found; it is the table.
        meant = {409, 412} if [one.write for one in operations] == [Write.INSERT] else {404, 409, 412}

        async def write() -> str:
            try:
                return str((await self._submitted(steps))["etag"])
            except HttpResponseError as error:
                if _lacks_table(error) or error.status_code not in meant:
                    raise
                return await self._landed_or_stale(guard, error)

        return await self._patiently(write)

    async def _submitted(self, steps: Sequence[_Step]) -> Mapping[str, Any]:
        """What the service says of the last of them."""
        match steps:
            case [("create", entity, _)]:
                return await self._created(entity)
            case [("update", entity, how)]:
                return await self._client.update_entity(entity, **how)
            case _:
                return (await self._client.submit_transaction(steps))[-1]

    async def _created(self, entity: dict[str, Any]) -> Mapping[str, Any]:
        """Insert, and have nothing of it sent back."""
        try:
            return await self._client.create_entity(entity, response_preference="return-no-content")
        except AttributeError as error:
            # The SDK looks at the answer of every error, and one whose answer broke off half-way has none (12.7.0).
            if isinstance(error.__context__, AzureError):
                raise error.__context__ from None
            raise

    async def _landed_or_stale(self, row: Row, cause: AzureError) -> str:
        """The ETag of our own earlier try, whose answer was lost. Raises Stale when somebody else wrote."""
        try:
            found = from_entity(await self._client.get_entity(row.partition, row.key))
        except ResourceNotFoundError:
            raise Stale from cause
        if found.nonce != row.nonce:
            raise Stale from cause
        return found.etag

    async def _patiently[T](self, work: Callable[[], Awaitable[T]]) -> T:
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(_TRIES):
            try:
                return await work()
            except AzureError as error:
                # A row that is absent is handled by each operation; what is left of 404 is the table itself.
                if _lacks_table(error) or isinstance(error, ResourceNotFoundError):
                    if not self._creates:
                        raise StoreConflict(f"there is no table {self._name}") from error
                    await self._create()
                    continue
                if not _is_transient(error):
                    raise StoreConflict(
                        f"{self._name}: {getattr(error, 'error_code', type(error).__name__)}"
                    ) from error
                if attempt == _TRIES - 1:
                    raise StoreUnavailable(f"{self._name} did not answer") from error
                await self._clock.sleep(wait)
                wait *= 2
        raise StoreUnavailable(f"{self._name} could not be created")

    async def _create(self) -> None:
        try:
            await self._client.create_table()
        except ResourceExistsError:
            return
        except AzureError as error:
            if not _is_transient(error):
                raise StoreConflict(f"{self._name} could not be created") from error
            # It is found missing again, and so made again, while tries are left.
            await self._clock.sleep(_FIRST_WAIT_SECONDS)


def _step(operation: Operation) -> _Step:
    row = operation.row
    entity = to_entity(row)
    match operation.write:
        case Write.INSERT:
            return "create", entity, {}
        case Write.UPDATE:
            guard = {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}
            return "update", entity, {"mode": UpdateMode.REPLACE, **guard}
        case Write.UPSERT:
            return "upsert", entity, {"mode": UpdateMode.REPLACE}
        case Write.DELETE:
            return "delete", {"PartitionKey": row.partition, "RowKey": row.key}, {}


def readable[T](row: Row, kind: type[T]) -> T | None:
    """The body of a row of a list: one that no version wrote is told, and keeps no other row from being seen."""
    try:
        return row.decode(kind)
    except msgspec.DecodeError:
        # Without the error's own text, which holds what it could not read.
        _log.error("row.unreadable partition=%s key=%s", row.partition, row.key)
        return None
