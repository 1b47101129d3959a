"""The dearest of the VM sizes that a subscription expects: what a request without a plan might cost. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from shared.activation.meters import meters, parts_of, vm_query
from shared.activation.plan import OperatingSystem, Plan, Vm
from shared.arm.price_shapes import PriceList, PriceQuery, in_force, tiers_of
from shared.subscriptions.lockdown import ExpectedSizes


class Dearest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One VM of the dearest size, by the hour, without its disks. `unpriced`: sizes that may be dearer still."""

    size: str
    region: str
    operating_system: OperatingSystem
    hourly: Decimal
    currency: str
    unpriced: tuple[str, ...]
    oldest_price: datetime


def expected_queries(expected: Sequence[ExpectedSizes]) -> list[PriceQuery]:
    """What must be asked for."""
    return list(dict.fromkeys(vm_query(size, one.region) for one in expected for size in one.sizes))


def dearest_of(
    expected: Sequence[ExpectedSizes], prices: Mapping[PriceQuery, PriceList], *, currency: str, now: datetime
) -> Dearest | None:
    """The dearest, with either operating system; None where none of them has a price, or none is expected."""
    best: Dearest | None = None
    unpriced: list[str] = []
    asked: list[datetime] = []
    for region, size in ((one.region, size) for one in expected for size in one.sizes):
        listed = prices.get(vm_query(size, region))
        found = [] if listed is None else list(_hourly(size, region, listed, now))
        if listed is None or not found:
            unpriced.append(f"{size} in {region}")
            continue
        asked.append(listed.at)
        hourly, system = max(found)
        if best is None or hourly > best.hourly:
            best = Dearest(
                size=size,
                region=region,
                operating_system=system,
                hourly=hourly,
                currency=currency,
                unpriced=(),
                oldest_price=listed.at,
            )
    return None if best is None else msgspec.structs.replace(best, unpriced=tuple(unpriced), oldest_price=min(asked))


def _hourly(size: str, region: str, listed: PriceList, now: datetime) -> Iterator[tuple[Decimal, OperatingSystem]]:
    vms = tuple(Vm(size=size, operating_system=one) for one in OperatingSystem)
    for part in parts_of(Plan(region=region, days=1, vms=vms)):
        tiers = tiers_of(in_force(meters(part, listed.prices), now))
        if tiers and part.operating_system is not None:
            yield max(one.retail_price for one in tiers), part.operating_system
