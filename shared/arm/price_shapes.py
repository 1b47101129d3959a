"""What is asked of the Retail Prices API, and its rows as far as we read them. Pure.

A price is a list price. USD is what Microsoft sets; every other currency is for reference.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

PATH = "/api/retail/prices"

CONSUMPTION = "Consumption"


class PriceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for in a region, among prices by consumption. A field that is empty is not asked for.

    Values are compared with their case.
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
        # Doubled, an apostrophe does not end a value (OData 4.01, string literals).
        values = {name: value.replace("'", "''") for name, value in asked.items() if value}
        return " and ".join(f"{name} eq '{value}'" for name, value in values.items())


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
    """Of the rows of one meter, the prices by consumption that hold now, of each tier the latest. A row of 0 is no price.

    Sizes that share a meter share its price, and only one of them has its primary row: others have none but secondary ones
    (E16-8s v3 beside E16 v3). Those count where there is no primary one.
    """
    latest: dict[tuple[str, ...], Price] = {}
    for one in prices:
        began = one.effective_start_date
        if one.type != CONSUMPTION or one.retail_price <= 0 or (began is not None and began > now):
            continue
        key = (one.product_name, one.sku_name, one.meter_name, one.meter_id, str(one.tier_minimum_units.normalize()))
        known = latest.get(key)
        if known is None or _is_better(one, known):
            latest[key] = one
    found = list(latest.values())
    return [one for one in found if one.is_primary_meter_region] or found


def tiers_of(prices: Iterable[Price]) -> list[Price]:
    """One price for each tier, in order: where several stand for the same, the dearest, so that no sum is too low."""
    dearest: dict[Decimal, Price] = {}
    for one in prices:
        known = dearest.get(one.tier_minimum_units)
        if known is None or one.retail_price > known.retail_price:
            dearest[one.tier_minimum_units] = one
    return [dearest[minimum] for minimum in sorted(dearest)]


def _is_better(one: Price, other: Price) -> bool:
    if one.is_primary_meter_region != other.is_primary_meter_region:
        return one.is_primary_meter_region
    if one.effective_start_date is None or other.effective_start_date is None:
        return one.retail_price > other.retail_price
    return (one.effective_start_date, one.retail_price) > (other.effective_start_date, other.retail_price)
