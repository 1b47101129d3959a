"""The dearest of the sizes that are expected."""

from datetime import timedelta
from decimal import Decimal

from shared.activation.dearest import dearest_of, expected_queries
from shared.activation.meters import vm_query
from shared.activation.plan import OperatingSystem
from shared.arm.price_shapes import PriceList
from shared.subscriptions.lockdown import ExpectedSizes
from tests.unit.pricing import D4, E8, NOW, REGION, vm_rows

_EXPECTED = (ExpectedSizes(region=REGION, sizes=(D4, E8)), ExpectedSizes(region="eastus", sizes=(E8,)))
_PRICES = {
    vm_query(D4, REGION): PriceList(prices=vm_rows("0.20", "0.384"), at=NOW),
    vm_query(E8, REGION): PriceList(prices=vm_rows("0.55", "0.918"), at=NOW - timedelta(days=2)),
    vm_query(E8, "eastus"): PriceList(prices=vm_rows("0.60", "0.90"), at=NOW),
}


def test_the_dearest_is_told_with_its_system_and_the_age_of_the_oldest_price() -> None:
    found = dearest_of(_EXPECTED, _PRICES, currency="USD", now=NOW)

    assert found is not None
    assert (found.size, found.region, found.hourly) == (E8, REGION, Decimal("0.918"))
    assert (found.operating_system, found.unpriced) == (OperatingSystem.WINDOWS, ())
    assert found.oldest_price == NOW - timedelta(days=2)


def test_sizes_without_a_price_are_named_for_they_may_be_dearer() -> None:
    prices = {vm_query(D4, REGION): _PRICES[vm_query(D4, REGION)], vm_query(E8, REGION): PriceList(prices=(), at=NOW)}

    found = dearest_of(_EXPECTED, prices, currency="USD", now=NOW)

    assert found is not None
    assert (found.size, found.unpriced) == (D4, (f"{E8} in {REGION}", f"{E8} in eastus"))


def test_none_is_the_dearest_of_nothing() -> None:
    assert dearest_of((), {}, currency="USD", now=NOW) is None
    assert dearest_of(_EXPECTED, {}, currency="USD", now=NOW) is None


def test_each_size_and_region_is_asked_for_once() -> None:
    assert expected_queries((*_EXPECTED, *_EXPECTED)) == [
        vm_query(D4, REGION),
        vm_query(E8, REGION),
        vm_query(E8, "eastus"),
    ]
