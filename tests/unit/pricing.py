"""Price lists and plans for the tests of the estimate: invented figures that are easy to reckon with."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from shared.activation.cost import Estimate, estimate
from shared.activation.disks import Kind, ultra_gib
from shared.activation.meters import parts_of
from shared.activation.plan import Blob, Disk, OperatingSystem, Plan, Redundancy, Vm
from shared.arm.price_shapes import Price, PriceList, PriceQuery

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
REGION = "westeurope"
D4, E8 = "Standard_D4s_v5", "Standard_E8s_v5"


def price(meter: str, unit: str, amount: str, *, of: str = "USD", **more: Any) -> Price:
    """A row by consumption."""
    first = Price(
        currency_code=of,
        retail_price=Decimal(amount),
        unit_of_measure=unit,
        meter_name=meter,
        type="Consumption",
        effective_start_date=LONG_AGO,
    )
    return msgspec.structs.replace(first, **more)


def vm_rows(linux: str, windows: str, name: str = "D4s v5") -> tuple[Price, ...]:
    """What is listed for a size: both operating systems, and what no estimate may take."""
    product = "Virtual Machines Dsv5 Series"
    return (
        price(name, "1 Hour", linux, product_name=product, sku_name=name),
        price(name, "1 Hour", windows, product_name=f"{product} Windows", sku_name=name),
        price(f"{name} Spot", "1 Hour", "0.0001", product_name=product, sku_name=f"{name} Spot"),
        price(f"{name} Low Priority", "1 Hour", "0.0002", product_name=product, sku_name=f"{name} Low Priority"),
        price(name, "1 Hour", "0.0003", product_name=f"{product} CloudServices", sku_name=name),
        price(name, "1 Hour", "0.0004", product_name=product, sku_name=name, type="DevTestConsumption"),
        price(name, "1 Hour", "3000", product_name=product, sku_name=name, type="Reservation"),
        price(name, "1 Hour", "0", product_name=product, sku_name=name, meter_id="kept"),
    )


def _rows(query: PriceQuery) -> tuple[Price, ...]:
    if query.arm_sku_name:
        return {D4: vm_rows("0.20", "0.384"), E8: vm_rows("0.55", "0.918", "E8s v5")}.get(query.arm_sku_name, ())
    name = query.sku_name
    if query.product_name == "Ultra Disks":
        return (
            price("Ultra LRS Provisioned Capacity", "1 GiB/Hour", "0.00017"),
            price("Ultra LRS Provisioned IOPS", "1/Hour", "0.00007"),
            price("Ultra LRS Provisioned Throughput (MBps)", "1/Hour", "0.0005"),
            price("Ultra LRS Reservation per vCPU Provisioned", "1/Hour", "0.006"),
        )
    if query.product_name == "General Block Blob v2":
        tiers = (("0", "0.02"), ("51200", "0.019"), ("512000", "0.018"))
        stored = (
            price(f"{name} Data Stored", "1 GB/Month", amount, tier_minimum_units=Decimal(begins))
            for begins, amount in tiers
        )
        return (*stored, price("Hot Read Operations", "10K", "0.005"))
    if query.service_name == "Azure Site Recovery":
        return (
            price("VM Replicated to Azure", "1/Month", "25"),
            price("VM Replicated to System Center", "1/Month", "16"),
        )
    if query.product_name.endswith("Managed Disks"):
        # P10 costs 10, E15 costs 15: a number that tells the tier.
        amount = name.removesuffix(" LRS")[1:]
        return (price(f"{name} Disk", "1/Month", amount), price(f"{name} Disk Mount", "1/Month", "1000"))
    return ()


def listed(plan: Plan, at: datetime = NOW) -> Mapping[PriceQuery, PriceList]:
    """What the price list has for a plan's queries."""
    return {query: PriceList(prices=_rows(query), at=at) for part in parts_of(plan) for query in part.queries}


def plan(**parts: Any) -> Plan:
    """A plan of thirty days."""
    return msgspec.structs.replace(Plan(region=REGION, days=30), **parts)


def priced(found: Plan, hours: int = 8, **changed: Any) -> Estimate:
    """Its estimate."""
    return estimate(found, hours, listed(found), currency=changed.pop("currency", "USD"), now=NOW, **changed)


def sums(found: Estimate) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Its four sums."""
    return found.hourly, found.for_hours, found.monthly, found.for_days


vms = st.builds(
    Vm,
    size=st.sampled_from([D4, E8]),
    count=st.integers(1, 1000),
    operating_system=st.sampled_from(OperatingSystem),
)


@st.composite
def disks(draw: st.DrawFn) -> Disk:
    """Any disk that there is."""
    kind, count = draw(st.sampled_from(Kind)), draw(st.integers(1, 1000))
    if kind is not Kind.ULTRA:
        return Disk(kind=kind, size_gib=draw(st.integers(1, kind.largest_gib)), count=count)
    size = draw(st.integers(1, kind.largest_gib))
    billed = ultra_gib(size)
    iops = draw(st.integers(max(100, billed), min(400_000, billed * 1000)))
    mbps = draw(st.integers(max(1, -(-iops // 250)), min(10_000, iops // 4)))
    return Disk(kind=kind, size_gib=size, count=count, iops=iops, throughput_mbps=mbps)


blobs = st.builds(Blob, gb=st.integers(1, 5_000_000), redundancy=st.sampled_from(Redundancy))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan that is not refused."""
    machines = tuple(draw(st.lists(vms, max_size=3)))
    made = Plan(
        region=REGION,
        days=draw(st.integers(1, 1096)),
        vms=machines,
        disks=tuple(draw(st.lists(disks(), max_size=3))),
        blob=draw(st.none() | blobs),
        disaster_recovery=bool(machines) and draw(st.booleans()),
    )
    return made if machines or made.disks or made.blob else msgspec.structs.replace(made, vms=(draw(vms),))


def without(prices: Mapping[PriceQuery, PriceList], names: Iterable[str]) -> Mapping[PriceQuery, PriceList]:
    """A price list that does not know these meters."""
    gone = set(names)
    return {
        query: msgspec.structs.replace(found, prices=tuple(one for one in found.prices if one.meter_name not in gone))
        for query, found in prices.items()
    }
