"""Putting a seal, as whoever may only add: what Azure says where it is there already, and of all else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from azure.storage.blob.aio import ContainerClient

from shared.errors import StoreConflict
from shared.seals import CONTAINER, Seal, Seals

_SEAL = Seal(date="2026-03-03", at=datetime(2026, 3, 3, tzinfo=UTC), heads=())


@asynccontextmanager
async def refusing(code: str) -> AsyncIterator[tuple[Seals, list[str]]]:
    """Seals of an account that refuses every write so; and what was asked of it."""
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.Response(status=403, headers={"x-ms-error-code": code})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    [(host, port)] = [address[:2] for address in runner.addresses]
    try:
        yield (
            Seals(lambda: ContainerClient(f"http://{host}:{port}/account", CONTAINER, retry_total=0), creates=False),
            asked,
        )
    finally:
        await runner.cleanup()


async def test_a_seal_that_is_there_already_is_put() -> None:
    async with refusing("UnauthorizedBlobOverwrite") as (seals, asked):
        await seals.put(_SEAL)

    assert asked == [f"PUT /account/{CONTAINER}/2026-03-03.json"]


async def test_a_right_that_is_missing_is_told() -> None:
    async with refusing("AuthorizationPermissionMismatch") as (seals, _):
        with pytest.raises(StoreConflict, match="AuthorizationPermissionMismatch"):
            await seals.put(_SEAL)
