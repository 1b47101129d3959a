"""The proxy before Azurite, driven by the real Table Storage client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ServiceRequestError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from tests.sandbox.azurite import Azurite, StorageAccount
from tests.sandbox.faults import Faults
from tests.sandbox.points import Points, cut
from tests.sandbox.store_proxy import StoreProxy

_ROW = {"PartitionKey": "open", "RowKey": "fabrikam", "number": 1}


@asynccontextmanager
async def _proxied(
    azurite: Azurite, points: Points, faults: Faults | None = None
) -> AsyncIterator[tuple[StoreProxy, StorageAccount]]:
    account = azurite.take()
    proxy = StoreProxy(accounts=[account], points=points, faults=faults)
    await proxy.start()
    try:
        yield proxy, account
    finally:
        await proxy.stop()


@asynccontextmanager
async def _table(proxy: StoreProxy, account: StorageAccount) -> AsyncIterator[TableClient]:
    """The table Runs, by a client that does not try again."""
    connection = account.connection_string(proxy.url)
    async with TableServiceClient.from_connection_string(connection, retry_total=0) as service:
        yield await service.create_table_if_not_exists("Runs")


def _labels(points: Points, kind: str) -> list[str]:
    return [hit.label for hit in points.log if hit.kind == kind]


async def test_only_a_continuation_token_that_was_given_out_is_taken(azurite: Azurite) -> None:
    async with _proxied(azurite, Points()) as served, _table(*served) as runs:
        for number in range(3):
            await runs.create_entity({"PartitionKey": "open", "RowKey": str(number)})
        first = runs.list_entities(results_per_page=2).by_page()
        before = [row["RowKey"] async for row in await anext(first)]
        token: dict[str, str] = first.continuation_token  # type: ignore[attr-defined]  # the SDK's pager has it, its type hint not
        given, forged = cast("Any", token), cast("Any", {**token, "RowKey": ""})
        after = [row["RowKey"] async for page in runs.list_entities().by_page(given) async for row in page]

        with pytest.raises(HttpResponseError) as refused:
            await anext(runs.list_entities().by_page(forged))

    assert (before, after) == (["0", "1"], ["2"])
    assert refused.value.status_code == 400
    assert "InvalidInput" in str(refused.value)


async def test_rows_pass_through_and_every_write_is_a_point_before_and_after(azurite: Azurite) -> None:
    points = Points()
    async with _proxied(azurite, points) as served, _table(*served) as runs:
        await runs.create_entity(_ROW)
        await runs.update_entity(_ROW | {"number": 2}, mode=UpdateMode.MERGE)
        await runs.upsert_entity(_ROW | {"number": 3}, mode=UpdateMode.REPLACE)
        found = [row async for row in runs.query_entities("PartitionKey eq 'open' and number eq 3")]
        await runs.delete_entity(_ROW)

    writes = ["POST Tables", "POST Runs", "PATCH Runs", "PUT Runs", "DELETE Runs"]
    assert found == [_ROW | {"number": 3}]
    assert writes == _labels(points, "store.before")
    assert writes == _labels(points, "store.after")
    assert _labels(points, "store-read.before") == ["GET Runs"]


async def test_keys_with_odd_characters_keep_their_signature(azurite: Azurite) -> None:
    async with _proxied(azurite, Points()) as served, _table(*served) as runs:
        row = {"PartitionKey": "act|08 é'+%", "RowKey": "elig|a b=c&d"}
        await runs.create_entity(row)

        assert row == await runs.get_entity(row["PartitionKey"], row["RowKey"])


async def test_a_batch_is_one_write_and_a_stale_etag_fails_all_of_it(azurite: Azurite) -> None:
    points = Points()
    async with _proxied(azurite, points) as served, _table(*served) as runs:
        await runs.create_entity(_ROW)
        stale = (await runs.get_entity("open", "fabrikam")).metadata["etag"]
        matching = {"etag": stale, "match_condition": MatchConditions.IfNotModified, "mode": UpdateMode.REPLACE}
        await runs.submit_transaction([("update", _ROW | {"number": 2}, matching), ("create", _ROW | {"RowKey": "a"})])

        with pytest.raises(TableTransactionError) as refused:
            await runs.submit_transaction(
                [("create", _ROW | {"RowKey": "b"}), ("update", _ROW | {"number": 3}, matching)]
            )

        assert refused.value.status_code == 412
        assert {row["RowKey"]: row["number"] async for row in runs.list_entities()} == {"a": 1, "fabrikam": 2}
        assert _labels(points, "store.after")[2:] == ["BATCH Runs", "BATCH Runs"]


# Azurite writes this error as XML, which the client reads in a way that Python 3.13 warns of.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
async def test_a_wrong_key_is_refused_by_azurite_itself(azurite: Azurite) -> None:
    async with _proxied(azurite, Points()) as (proxy, account), _table(proxy, account):
        stranger = replace(account, key=azurite.take().key)

        with pytest.raises(HttpResponseError) as refused:
            async with _table(proxy, stranger):
                pass

    assert refused.value.status_code == 403


async def test_a_write_cut_before_it_was_applied_changed_nothing(azurite: Azurite) -> None:
    points = Points()
    points.arm("store.before", "POST Runs", 0, cut)
    async with _proxied(azurite, points) as served, _table(*served) as runs:
        with pytest.raises(ServiceRequestError):
            await runs.create_entity(_ROW)

        assert [row async for row in runs.list_entities()] == []


async def test_a_write_whose_answer_was_cut_is_there_when_it_is_sent_again(azurite: Azurite) -> None:
    points = Points()
    points.arm("store.after", "POST Runs", 0, cut)
    async with _proxied(azurite, points) as served, _table(*served) as runs:
        with pytest.raises(ServiceRequestError):
            await runs.create_entity(_ROW)

        with pytest.raises(ResourceExistsError):
            await runs.create_entity(_ROW)


async def test_faults_refuse_requests_as_a_busy_store_does(azurite: Azurite) -> None:
    async with _proxied(azurite, Points(), Faults(1, refused_store=1.0)) as (proxy, account):
        with pytest.raises(HttpResponseError) as refused:
            async with _table(proxy, account):
                pass

    assert refused.value.status_code == 503
    assert "ServerBusy" in str(refused.value)


async def test_faults_lose_answers_but_never_three_in_a_row(azurite: Azurite) -> None:
    async with _proxied(azurite, Points(), Faults(1, lost_answer=1.0)) as (proxy, account):
        connection = account.connection_string(proxy.url)
        async with TableServiceClient.from_connection_string(connection, retry_total=0) as service:
            for _ in range(2):
                with pytest.raises(ServiceRequestError):
                    await service.create_table("Runs")

            with pytest.raises(ResourceExistsError):
                await service.create_table("Runs")
