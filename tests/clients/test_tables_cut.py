"""An answer of the store that breaks off in its middle: the row is looked for, as when nothing came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.data.tables.aio import TableServiceClient

from shared.clock import SystemClock
from shared.rows import Row, encode
from shared.tables import Operation, Table, Write

_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_ROW = Row(partition="p", key="k", body=encode("v"), nonce="n1")
_THERE = b'{"odata.etag":"W/\\"a\\"","PartitionKey":"p","RowKey":"k","nonce":"n1","body0":"\\"v\\""}'
_EXISTS = b'{"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en","value":"there"}}}'


def _answer(status: str, body: bytes) -> bytes:
    head = f'HTTP/1.1 {status}\r\nContent-Type: application/json\r\nETag: W/"a"\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body


@asynccontextmanager
async def breaking_off() -> AsyncIterator[tuple[Table, list[str]]]:
    """A table whose first insert is made, and told by half an answer; and what was asked of it."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")]
        await reader.readexactly(sum(lengths))
        asked.append(head.split(" ", 1)[0])
        if asked[-1] == "GET":
            writer.write(_answer("200 OK", _THERE))
        elif len(asked) == 1:
            writer.write(_answer("201 Created", _THERE)[:-20])
        else:
            writer.write(_answer("409 Conflict", _EXISTS))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/devstoreaccount1"
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={_KEY};TableEndpoint={address};"
    )
    async with server, TableServiceClient.from_connection_string(connection, retry_total=0) as service:
        yield Table(service.get_table_client, "Things", SystemClock()), asked


async def test_an_insert_whose_answer_breaks_off_counts_as_ours() -> None:
    async with breaking_off() as (table, asked):
        assert await table.insert(_ROW) is None

    assert asked == ["POST", "POST", "GET"]


async def test_a_row_alone_whose_answer_breaks_off_counts_as_ours() -> None:
    async with breaking_off() as (table, asked):
        assert await table.transact([Operation(write=Write.INSERT, row=_ROW)], guard=_ROW) == 'W/"a"'

    assert asked == ["POST", "POST", "GET"]
