"""What a plan is billed by: its parts, and for each the meters of the price list and how many of their units. Pure.

A meter is known by its exact name and unit; where neither is found, the part stays unpriced, and no other price stands in.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from shared.activation.disks import Kind, tier_of, ultra_gib
from shared.activation.plan import Blob, Disk, OperatingSystem, Plan, Vm
from shared.arm.price_shapes import Price, PriceQuery

FREE_RECOVERY_DAYS = 31
"""Site Recovery takes no fee for the first 31 days of each VM (Azure Site Recovery pricing)."""

HOURLY = frozenset({"1 Hour", "1/Hour", "1 GiB/Hour"})
"""Units of an hour. The others that we take are of a month."""

_EACH_HOUR, _EACH_MONTH = frozenset({"1 Hour", "1/Hour"}), frozenset({"1/Month"})
_GIB_HOUR, _GB_MONTH = frozenset({"1 GiB/Hour"}), frozenset({"1 GB/Month"})

_STORAGE, _RECOVERY = "Storage", "Azure Site Recovery"
_BLOBS = ("General Block Blob v2", "Blob Storage")
"""Of accounts of general purpose v2, and, in regions that do not list those, of blob accounts."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a plan that one meter counts. The first of `queries` that finds the meter prices it.

    `meter`: its name; empty for a VM, whose meter is known by its size and operating system. `free_days`: how long it
    costs nothing.
    """

    what: str
    queries: tuple[PriceQuery, ...]
    quantity: Decimal
    units: frozenset[str]
    meter: str = ""
    operating_system: OperatingSystem | None = None
    free_days: int = 0


def parts_of(plan: Plan) -> list[Part]:
    """Everything of a plan that is priced."""
    return [
        *(_vm(one, plan.region) for one in plan.vms),
        *(part for one in plan.disks for part in _disk(one, plan.region)),
        *([] if plan.blob is None else [_blob(plan.blob, plan.region)]),
        *(_recovery(plan) if plan.disaster_recovery else ()),
    ]


def vm_query(size: str, region: str) -> PriceQuery:
    """The prices of a VM size."""
    return PriceQuery(service_name="Virtual Machines", arm_sku_name=size, region=region)


def meters(part: Part, prices: Iterable[Price]) -> list[Price]:
    """The rows that count the part."""
    return [one for one in prices if one.unit_of_measure in part.units and _is_of(part, one)]


def _is_of(part: Part, price: Price) -> bool:
    if part.operating_system is None:
        return price.meter_name == part.meter
    windows = part.operating_system is OperatingSystem.WINDOWS
    return price.is_windows == windows and not price.is_spot and not price.is_cloud_service


def _vm(vm: Vm, region: str) -> Part:
    return Part(
        what=f"{vm.count} x {vm.size} ({vm.operating_system.value})",
        queries=(vm_query(vm.size, region),),
        quantity=Decimal(vm.count),
        units=_EACH_HOUR,
        operating_system=vm.operating_system,
    )


def _disk(disk: Disk, region: str, what: str = "") -> Iterator[Part]:
    if disk.kind is Kind.ULTRA:
        yield from _ultra(disk, region)
        return
    tier = tier_of(disk.kind, disk.size_gib)
    query = PriceQuery(service_name=_STORAGE, product_name=disk.kind.product, sku_name=f"{tier} LRS", region=region)
    yield Part(
        what=f"{what}{disk.count} x {disk.kind.value} of {disk.size_gib} GiB, billed as {tier}",
        queries=(query,),
        quantity=Decimal(disk.count),
        units=_EACH_MONTH,
        meter=f"{tier} LRS Disk",
    )


def _ultra(disk: Disk, region: str) -> Iterator[Part]:
    query = PriceQuery(service_name=_STORAGE, product_name=disk.kind.product, sku_name="Ultra LRS", region=region)
    size = ultra_gib(disk.size_gib)
    for amount, name, meter, units in (
        (size, "GiB", "Capacity", _GIB_HOUR),
        (disk.iops or 0, "IOPS", "IOPS", _EACH_HOUR),
        (disk.throughput_mbps or 0, "MB/s", "Throughput (MBps)", _EACH_HOUR),
    ):
        yield Part(
            what=f"{disk.count} x ultra of {disk.size_gib} GiB: {amount} {name} each",
            queries=(query,),
            quantity=Decimal(disk.count * amount),
            units=units,
            meter=f"Ultra LRS Provisioned {meter}",
        )


def _blob(blob: Blob, region: str) -> Part:
    sku = f"Hot {blob.redundancy.value}"
    return Part(
        what=f"blob storage of {blob.gb} GB (hot, {blob.redundancy.value})",
        queries=tuple(
            PriceQuery(service_name=_STORAGE, product_name=product, sku_name=sku, region=region) for product in _BLOBS
        ),
        quantity=Decimal(blob.gb),
        units=_GB_MONTH,
        meter=f"{sku} Data Stored",
    )


def _recovery(plan: Plan) -> Iterator[Part]:
    count = sum(vm.count for vm in plan.vms)
    yield Part(
        what=f"Site Recovery of {count} VMs",
        queries=(PriceQuery(service_name=_RECOVERY, sku_name="Azure", region=plan.region),),
        quantity=Decimal(count),
        units=_EACH_MONTH,
        meter="VM Replicated to Azure",
        free_days=FREE_RECOVERY_DAYS,
    )
    for disk in plan.disks:
        if disk.kind is not Kind.ULTRA:
            yield from _disk(disk, plan.region, "Site Recovery's replicas: ")
