"""What is asked of the Retail Prices API, and its rows as far as we read them. Pure.

A price is a list price. USD is what Microsoft sets; every other currency is for reference.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

PATH = "/api/retail/prices"

CURRENCIES = frozenset(
    {
        *("USD", "AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "INR", "JPY", "KRW", "NOK", "NZD"),
        *("RUB", "SEK", "TWD"),
    }
)
"""Those that the service gives prices in (Azure Retail Prices overview, supported currencies)."""

CONSUMPTION = "Consumption"


class PriceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for in a region, among prices by consumption. A field that is empty is not asked for.

    Values are compared with their case. None may hold an apostrophe: plan.py sees to it.
    """

    region: str
    service_name: str = ""
    product_name: str = ""
    sku_name: str = ""
    arm_sku_name: str = ""

    @property
    def filter(self) -> str:
        """The value of $filter: only `eq` and `and`, for others are said not to work."""
        asked = {
            "serviceName": self.service_name,
            "productName": self.product_name,
            "skuName": self.sku_name,
            "armSkuName": self.arm_sku_name,
            "armRegionName": self.region,
            "priceType": CONSUMPTION,
        }
        return " and ".join(f"{name} eq '{value}'" for name, value in asked.items() if value)


class Price(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of the price list. Above `tier_minimum_units` this price holds, until the next tier begins."""

    currency_code: str
    retail_price: Decimal
    unit_of_measure: str
    meter_name: str
    product_name: str = ""
    sku_name: str = ""
    meter_id: str = ""
    type: str = ""
    tier_minimum_units: Decimal = Decimal(0)
    effective_start_date: datetime | None = None
    is_primary_meter_region: bool = True

    @property
    def is_spot(self) -> bool:
        """Whether it is of capacity that Azure may take back at any time."""
        named = f"{self.meter_name} {self.sku_name}"
        return "Spot" in named or "Low Priority" in named

    @property
    def is_windows(self) -> bool:
        """Whether the licence of Windows is in it."""
        return self.product_name.endswith("Windows")

    @property
    def is_cloud_service(self) -> bool:
        """Whether it is of the old Cloud Services, whose rows bear the names of VM sizes."""
        return "CloudServices" in self.product_name or "Cloud Services" in self.product_name


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """What a query found, and when it was asked."""

    prices: tuple[Price, ...]
    at: datetime


def in_force(prices: Iterable[Price], now: datetime) -> list[Price]:
    """The prices by consumption that hold now, of each meter and tier the latest. A row of 0 keeps a place, and is none."""
    latest: dict[tuple[str, ...], Price] = {}
    for one in prices:
        began = one.effective_start_date
        if one.type != CONSUMPTION or not one.is_primary_meter_region or one.retail_price <= 0:
            continue
        if began is not None and began > now:
            continue
        key = (one.product_name, one.sku_name, one.meter_name, one.meter_id, str(one.tier_minimum_units.normalize()))
        known = latest.get(key)
        if known is None or _is_later(one, known):
            latest[key] = one
    return list(latest.values())


def tiers_of(prices: Iterable[Price]) -> list[Price]:
    """One price for each tier, in order: where several stand for the same, the dearest, so that no sum is too low."""
    dearest: dict[Decimal, Price] = {}
    for one in prices:
        known = dearest.get(one.tier_minimum_units)
        if known is None or one.retail_price > known.retail_price:
            dearest[one.tier_minimum_units] = one
    return [dearest[minimum] for minimum in sorted(dearest)]


def _is_later(one: Price, other: Price) -> bool:
    if one.effective_start_date is None or other.effective_start_date is None:
        return one.retail_price > other.retail_price
    return (one.effective_start_date, one.retail_price) > (other.effective_start_date, other.retail_price)
