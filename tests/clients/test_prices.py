"""Prices from the list to the estimate: what is asked, how long an answer serves, and what becomes of a bad day."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from shared.activation import pricing
from shared.activation.cost import Estimate
from shared.activation.disks import Kind
from shared.activation.plan import Blob, Disk, OperatingSystem, Plan, Redundancy, Vm
from shared.activation.pricing import dearest
from shared.arm.price_shapes import Price, PriceQuery
from shared.arm.prices import Prices
from shared.errors import Rejected, Throttled, Unavailable
from shared.rows import Row
from shared.subscriptions.lockdown import ExpectedSizes
from tests.clients.bench import Bench
from tests.clients.counter import Counter, counter
from tests.sandbox.answers import VendorError
from tests.sandbox.azurite import Azurite
from tests.sandbox.listening import Listener
from tests.sandbox.points import cut
from tests.sandbox.prices.server import LABEL, PATH

_D4 = "Standard_D4s_v5"
_VM = Plan(region="westeurope", days=30, vms=(Vm(size=_D4),))
_QUERY = PriceQuery(service_name="Virtual Machines", arm_sku_name=_D4, region="westeurope")


@pytest.fixture
async def at(bench: Bench, tmp_path: Path, azurite: Azurite) -> AsyncIterator[Counter]:
    """A counter with nothing kept yet."""
    async with counter(bench, tmp_path, azurite) as opened:
        yield opened


def age(found: Estimate) -> timedelta:
    """Of its oldest price."""
    assert found.oldest_price is not None
    return found.priced_at - found.oldest_price


async def test_every_kind_of_part_has_its_price(at: Counter) -> None:
    whole = Plan(
        region="westeurope",
        days=31,
        vms=(Vm(size=_D4, count=2), Vm(size="Standard_E8s_v5", operating_system=OperatingSystem.WINDOWS)),
        disks=(
            Disk(kind=Kind.PREMIUM_SSD, size_gib=128, count=3),
            Disk(kind=Kind.ULTRA, size_gib=1024, iops=2000, throughput_mbps=100),
        ),
        blob=Blob(gb=1000, redundancy=Redundancy.GRS),
        disaster_recovery=True,
    )

    found = await at.price(whole)

    # 2 x 0.20 = 0.40; 0.60 + 0.368 = 0.968; 3 x 128 x 0.15 = 57.60 a month, twice; 1024 x 0.000164 = 0.167936;
    # 2000 x 0.000068 = 0.136; 100 x 0.000479 = 0.0479; 1000 x 0.04 = 40.00 a month; 3 x 25 = 75.00 a month
    assert [(one.meter, one.quantity * one.unit_price) for one in found.lines] == [
        ("D4s v5", Decimal("0.40")),
        ("E8s v5", Decimal("0.968")),
        ("P10 LRS Disk", Decimal("57.60")),
        ("Ultra LRS Provisioned Capacity", Decimal("0.167936")),
        ("Ultra LRS Provisioned IOPS", Decimal("0.136")),
        ("Ultra LRS Provisioned Throughput (MBps)", Decimal("0.0479")),
        ("Hot GRS Data Stored", Decimal("40.00")),
        ("VM Replicated to Azure", Decimal("75.00")),
        ("P10 LRS Disk", Decimal("57.60")),
    ]
    assert found.unpriced == ()
    assert age(found) < timedelta(minutes=1)
    assert at.hits == 6


async def test_a_price_is_asked_for_in_the_currency_and_kept_by_it(at: Counter) -> None:
    dollars, euros = await at.price(_VM), await at.price(_VM, "EUR")
    again = await at.price(_VM, "EUR", host=1)

    # 0.20 x 0.9
    assert (dollars.hourly, euros.hourly, again.hourly) == (Decimal("0.20"), Decimal("0.18"), Decimal("0.18"))
    assert at.hits == 2


async def test_for_a_day_nothing_is_asked_again_and_then_the_new_price_holds(at: Counter) -> None:
    await at.price(_VM)
    at.retail.reprice("2")

    at.clock.advance(timedelta(hours=23, minutes=59))
    kept = await at.price(_VM, host=1)
    at.clock.advance(timedelta(minutes=2))
    new = await at.price(_VM, host=1)

    assert (kept.hourly, new.hourly, at.hits) == (Decimal("0.20"), Decimal("0.40"), 2)
    assert age(kept) >= timedelta(hours=23)
    assert age(new) < timedelta(minutes=1)


async def test_a_service_that_is_down_is_an_error_where_no_price_is_kept(at: Counter) -> None:
    at.retail.down = True

    with pytest.raises(Unavailable) as told:
        await at.price(_VM)

    assert (told.value.call.service, told.value.call.status) == ("prices", 503)


async def test_an_old_price_serves_for_thirty_days_and_shows_its_age(at: Counter) -> None:
    await at.price(_VM)
    at.retail.down = True

    at.clock.advance(timedelta(days=30) - timedelta(minutes=5))
    old = await at.price(_VM)
    assert old.hourly == Decimal("0.20")
    assert age(old) > timedelta(days=29)

    at.clock.advance(timedelta(minutes=10))
    with pytest.raises(Unavailable):
        await at.price(_VM)


async def test_a_short_wait_is_sat_out_and_a_long_one_told_or_bridged_by_an_old_price(at: Counter) -> None:
    async def throttle() -> None:
        raise VendorError(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": "4"})

    at.bench.world.points.arm("vendor-read.before", LABEL, 0, throttle)
    before = at.clock.now()
    await at.price(_VM)
    assert at.clock.now() - before >= timedelta(seconds=4)

    at.retail.throttled = 600
    with pytest.raises(Throttled) as told:
        await at.price(_VM, "EUR")
    assert told.value.seconds == 600

    at.clock.advance(timedelta(days=2))
    assert (await at.price(_VM)).hourly == Decimal("0.20")


async def test_a_lost_answer_is_asked_for_again(at: Counter) -> None:
    at.bench.world.points.arm("vendor-read.before", LABEL, 0, cut)

    assert (await at.price(_VM)).hourly == Decimal("0.20")
    assert at.hits == 2


async def test_an_answer_in_another_currency_is_refused_and_not_kept(at: Counter) -> None:
    at.retail.answers_in = "USD"
    with pytest.raises(Rejected) as told:
        await at.price(_VM, "EUR")
    assert told.value.call.code == "OtherCurrency"

    at.retail.answers_in = None
    assert (await at.price(_VM, "EUR")).hourly == Decimal("0.18")


async def test_a_size_that_is_not_sold_is_named_and_asked_for_again_after_an_hour(at: Counter) -> None:
    unknown = Plan(region="westeurope", days=1, vms=(Vm(size="Standard_Z1"), Vm(size=_D4)))

    found = await at.price(unknown)
    await at.price(unknown)
    assert found.unpriced == ("1 x Standard_Z1 (linux): no such price is listed for westeurope",)
    assert found.hourly == Decimal("0.20")
    assert at.hits == 2

    at.clock.advance(timedelta(minutes=61))
    await at.price(unknown)
    assert at.hits == 3


async def test_what_was_not_sold_is_no_old_price(at: Counter) -> None:
    unknown = Plan(region="westeurope", days=1, vms=(Vm(size="Standard_Z1"),))
    await at.price(unknown)
    at.retail.down = True
    at.clock.advance(timedelta(hours=2))

    with pytest.raises(Unavailable):
        await at.price(unknown)


async def test_a_size_that_shares_another_s_meter_is_priced(at: Counter) -> None:
    """Of its rows none is primary."""
    found = await at.price(Plan(region="westeurope", days=1, vms=(Vm(size="Standard_E8-4s_v5"),)))

    assert (found.hourly, found.unpriced) == (Decimal("0.60"), ())


async def test_all_pages_are_read(at: Counter) -> None:
    at.retail.page = 2

    assert (await at.price(_VM)).hourly == Decimal("0.20")
    assert at.hits > 1


async def test_blob_accounts_are_asked_for_only_where_no_other_is_sold(at: Counter) -> None:
    stored = Plan(region="westeurope", days=1, blob=Blob(gb=100))
    # 100 x 0.02
    assert (await at.price(stored)).monthly == Decimal("2.00")
    assert at.hits == 1

    at.retail.items = [one for one in at.retail.items if one.product != "General Block Blob v2"]
    assert (await at.price(stored, "EUR")).monthly == Decimal("1.80")
    assert at.hits == 3
    assert "productName eq 'Blob Storage'" in at.asked[-1]


async def test_a_row_that_no_version_wrote_is_asked_for_anew(at: Counter) -> None:
    await at.price(_VM)
    [row] = await at.at.table("Prices").partition("USD|westeurope")
    await at.at.table("Prices").upsert(Row(partition=row.partition, key=row.key, body=b'{"prices": 1}', nonce="x"))

    assert (await at.price(_VM)).hourly == Decimal("0.20")
    assert at.hits == 2


async def test_a_list_that_takes_too_long_ends(at: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing, "_DEADLINE_SECONDS", 0.3)
    at.bench.world.clouds.price_server.latency = 1.0

    with pytest.raises(Unavailable) as told:
        await at.price(_VM)

    assert told.value.call.code == "TooSlow"


async def test_the_dearest_of_the_expected_sizes_is_found_over_regions_and_systems(at: Counter) -> None:
    expected = (
        ExpectedSizes(region="westeurope", sizes=("Standard_D8s_v5", _D4)),
        ExpectedSizes(region="germanywestcentral", sizes=("Standard_D8s_v5", "Standard_Z1")),
    )

    found = await dearest(at.services(), expected, "USD")

    assert found is not None
    # (0.40 + 0.368) x 1.05
    assert (found.size, found.region, found.hourly) == ("Standard_D8s_v5", "germanywestcentral", Decimal("0.8064"))
    assert found.operating_system is OperatingSystem.WINDOWS
    assert found.unpriced == ("Standard_Z1 in germanywestcentral",)
    assert await dearest(at.services(), (), "USD") is None


async def _read(bench: Bench, *pages: Any) -> tuple[tuple[Price, ...], list[str]]:
    """What is read from a service that answers so, page by page, and what it heard. `{here}` is its address."""
    heard: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        body = pages[min(len(heard), len(pages) - 1)]
        heard.append(request.query_string)
        if isinstance(body, dict) and isinstance(body.get("NextPageLink"), str):
            body = {**body, "NextPageLink": body["NextPageLink"].replace("{here}", here)}
        return web.json_response(body)

    listener = Listener(serve, bench.world.certificates.server_context())
    await listener.start()
    here = f"https://localhost:{listener.port}"
    try:
        found = await Prices(here, bench.world.client, bench.world.clock).find(_QUERY, "USD")
    finally:
        await listener.stop()
    return found, heard


async def test_a_next_link_on_the_same_host_is_followed_with_its_options(bench: Bench) -> None:
    found, heard = await _read(
        bench, {"Items": [], "NextPageLink": f"{{here}}{PATH}?$skip=5"}, {"Items": [], "NextPageLink": None}
    )

    assert found == ()
    assert heard[1] == "$skip=5"


@pytest.mark.parametrize(
    "link",
    [
        f"https://elsewhere.example{PATH}?$skip=5",
        f"http://localhost{PATH}?$skip=5",
        f"https://localhost:99999{PATH}",
        "{here}/other?$skip=5",
        f"{{here}}.elsewhere.example{PATH}",
        f"{PATH}?$skip=5",
    ],
)
async def test_a_next_link_to_another_place_is_not_followed(bench: Bench, link: str) -> None:
    with pytest.raises(Rejected) as told:
        await _read(bench, {"Items": [], "NextPageLink": link})

    assert told.value.call.code == "NextLinkElsewhere"


async def test_a_port_that_is_written_out_is_the_same_place(bench: Bench) -> None:
    """The service does so, with :443."""
    prices = Prices("https://prices.example", bench.world.client, bench.world.clock)

    assert prices._following(f"https://prices.example:443{PATH}?$skip=100") == "$skip=100"


async def test_a_list_that_never_ends_is_an_error_and_no_part_of_it_is_taken(bench: Bench) -> None:
    with pytest.raises(Rejected) as told:
        await _read(bench, {"Items": [], "NextPageLink": f"{{here}}{PATH}?$skip=5"})

    assert told.value.call.code == "MoreThan20Pages"


@pytest.mark.parametrize("answer", [[], {"Items": "none"}, {}, {"Items": [{"retailPrice": "much"}]}])
async def test_an_answer_of_another_shape_is_refused(bench: Bench, answer: object) -> None:
    with pytest.raises(Rejected) as told:
        await _read(bench, answer)

    assert told.value.call.code == "UnexpectedAnswer"
