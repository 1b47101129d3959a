"""The simulated price list: its shape, its pages, and that nothing undocumented is let through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.sandbox.prices.server import LABEL, PATH
from tests.world.clouds_scene import Scene, scene

_VM = "serviceName eq 'Virtual Machines' and armSkuName eq 'Standard_D4s_v5' and armRegionName eq 'westeurope'"
_ASKED = {"api-version": "2023-01-01-preview", "currencyCode": "'USD'", "meterRegion": "'primary'", "$filter": _VM}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Scene]:
    async with scene(folder) as world:
        yield world


async def get(world: Scene, **changes: str | None) -> httpx.Response:
    """The list, with other options; None leaves one out."""
    named = {name.replace("_", "-") if name == "api_version" else name: value for name, value in changes.items()}
    options = {name: value for name, value in {**_ASKED, **named}.items() if value is not None}
    return await world.client.get(f"{world.clouds.prices}{PATH}", params=options)


async def rows(world: Scene, **changes: str | None) -> list[dict[str, Any]]:
    answer = await get(world, **changes)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["Items"]
    return found


async def test_a_size_has_its_prices_and_rows_that_are_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        found = await rows(world)
        by_consumption = await rows(world, **{"$filter": f"{_VM} and priceType eq 'Consumption'"})

    names = {(one["meterName"], one["productName"].rpartition(" ")[2], one["type"]) for one in found}
    assert ("D4s v5 Spot", "Series", "Consumption") in names
    assert ("D4s v5 Low Priority", "Series", "Consumption") in names
    assert {"Windows", "CloudServices"} <= {product for _, product, _ in names}
    assert {one["type"] for one in found} == {"Consumption", "DevTestConsumption", "Reservation"}
    assert {one["type"] for one in by_consumption} == {"Consumption"}
    assert {one.get("reservationTerm") for one in found} == {None, "1 Year", "3 Years"}
    assert any("savingsPlan" in one for one in found)


async def test_without_the_primary_region_other_meters_come_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        primary, everything = await rows(world), await rows(world, meterRegion=None)

    assert all(one["isPrimaryMeterRegion"] for one in primary)
    assert len(everything) > len(primary)


async def test_sizes_that_share_a_meter_have_its_id_and_one_of_them_its_primary_row(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        owner, sharing = [
            await rows(
                world, meterRegion=None, **{"$filter": f"armSkuName eq '{size}' and armRegionName eq 'westeurope'"}
            )
            for size in ("Standard_E8s_v5", "Standard_E8-4s_v5")
        ]

    assert {one["isPrimaryMeterRegion"] for one in sharing} == {False}
    assert (sharing[0]["meterId"], sharing[0]["retailPrice"]) == (owner[0]["meterId"], owner[0]["retailPrice"])
    assert owner[0]["isPrimaryMeterRegion"]


async def test_pages_are_linked_until_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        whole = await rows(world)
        world.clouds.retail.page = 3
        answer, found = (await get(world)).json(), []
        for _ in range(10):
            found.extend(answer["Items"])
            assert answer["Count"] == len(answer["Items"])
            if answer["NextPageLink"] is None:
                break
            assert urlsplit(answer["NextPageLink"]).netloc == urlsplit(world.clouds.prices).netloc
            answer = (await world.client.get(answer["NextPageLink"])).json()

    assert found == whole


async def test_another_currency_is_reckoned_from_the_dollar(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        [dollar, *_], [euro, *_] = await rows(world), await rows(world, currencyCode="'EUR'")

    assert euro["currencyCode"] == "EUR"
    assert Decimal(str(euro["retailPrice"])) == Decimal(str(dollar["retailPrice"])) * Decimal("0.9")


@pytest.mark.parametrize(
    "changes",
    [
        {"api_version": "2021-10-01"},
        {"api_version": None},
        {"currencyCode": "EUR"},
        {"currencyCode": "'XYZ'"},
        {"meterRegion": "'all'"},
        {"$top": "5"},
        {"$filter": "contains(productName, 'Virtual')"},
        {"$filter": f"{_VM} or armRegionName eq 'eastus'"},
        {"$filter": "armRegionName ne 'eastus'"},
        {"$filter": "armregionname eq 'eastus'"},
        {"$filter": "unitOfMeasure eq '1 Hour'"},
    ],
)
async def test_what_is_not_documented_is_loud(tmp_path: Path, changes: dict[str, str | None]) -> None:
    async with opened(tmp_path) as world:
        answer = await get(world, **changes)

        assert answer.status_code == 400
        assert len(world.clouds.violations) == 1
        assert world.clouds.violations[0].startswith("prices: ")


async def test_values_are_compared_with_their_case(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        assert await rows(world, **{"$filter": _VM.replace("Standard", "standard")}) == []


async def test_a_token_and_another_path_are_loud(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        address = f"{world.clouds.prices}{PATH}"
        token = await world.client.get(address, params=_ASKED, headers={"Authorization": "Bearer x"})
        posted = await world.client.post(address)

        assert (token.status_code, posted.status_code) == (400, 501)
        assert len(world.clouds.violations) == 2


async def test_it_is_recorded_throttles_and_goes_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        world.clouds.retail.throttled = 7
        throttled = await get(world)
        world.clouds.retail.throttled, world.clouds.retail.down = None, True
        down = await get(world)

        assert (throttled.status_code, throttled.headers["Retry-After"], down.status_code) == (429, "7", 503)
        entries = [one for one in world.clouds.recorder.entries if one.service == "prices"]
        assert [(one.status, one.tenant_id, one.app_id) for one in entries] == [(429, None, None), (503, None, None)]
        assert [hit.label for hit in world.points.log if hit.kind == "vendor-read.before"] == [LABEL, LABEL]
