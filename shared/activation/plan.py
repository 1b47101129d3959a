"""What an engineer means to build with the role: machines, disks and storage, and for how long. Pure.

It is what a price is made of, so it is refused where Azure could not build it, and where no price could be told.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from shared.activation.disks import Kind, ultra_problem
from shared.errors import BadRequest

MOST_LINES = 50
"""Machines of one kind, and disks of one kind: each may need a look at the price list."""

_MOST_OF_A_KIND, _MOST_GB, _MOST_DAYS = 1000, 5_000_000, 1096
"""Five petabytes is the default limit of a storage account (Azure storage scalability targets); three years."""

# Names go into a filter of the price list, where an apostrophe would end a value.
type Region = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{2,39}$", description="As Azure names it: westeurope.")]
type Size = Annotated[
    str,
    Meta(
        pattern=r"^(Standard|Basic)_[A-Za-z0-9_\-]{1,59}$",
        description="The VM size, with its case: Standard_D4s_v5.",
    ),
]
type Count = Annotated[int, Meta(ge=1, le=_MOST_OF_A_KIND)]


class OperatingSystem(StrEnum):
    """What a VM runs: the licence of Windows is in its price, any other licence is not."""

    LINUX = "linux"
    WINDOWS = "windows"


class Redundancy(StrEnum):
    """How often and where blob storage keeps its data, as in the names of Azure's meters."""

    LRS = "LRS"
    ZRS = "ZRS"
    GRS = "GRS"
    RA_GRS = "RA-GRS"
    GZRS = "GZRS"
    RA_GZRS = "RA-GZRS"


class Vm(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Virtual machines of one size. They run all the time."""

    size: Size
    count: Count = 1
    operating_system: OperatingSystem = OperatingSystem.LINUX


class Disk(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Managed disks of one kind and size, all of them, those of the operating system too. LRS.

    IOPS and throughput are said of ultra disks, and of no others.
    """

    kind: Kind
    size_gib: Annotated[int, Meta(ge=1, le=65536)]
    count: Count = 1
    iops: Annotated[int, Meta(ge=1)] | None = None
    throughput_mbps: Annotated[int, Meta(ge=1)] | None = None


class Blob(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Blob storage, in the hot tier: so much on average."""

    gb: Annotated[int, Meta(ge=1, le=_MOST_GB)]
    redundancy: Redundancy = Redundancy.LRS


class Plan(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What is going to be built in a region, and for how many days it will run."""

    region: Region
    days: Annotated[int, Meta(ge=1, le=_MOST_DAYS)]
    vms: Annotated[tuple[Vm, ...], Meta(max_length=MOST_LINES)] = ()
    disks: Annotated[tuple[Disk, ...], Meta(max_length=MOST_LINES)] = ()
    blob: Blob | None = None
    disaster_recovery: Annotated[bool, Meta(description="Site Recovery of every VM, with replicas of its disks.")] = (
        False
    )


def check(plan: Plan, field: str = "plan") -> None:
    """Raises BadRequest that names the field of what no type can tell. `field`: where the plan stands."""
    for named, text in ((f"{field}.region", plan.region), *_sizes(plan, field)):
        # The patterns' end lets a last line break through.
        if text.endswith("\n"):
            raise BadRequest(named, "ends with a line break")
    if not plan.vms and not plan.disks and plan.blob is None:
        raise BadRequest(field, "names nothing: neither vms nor disks nor blob")
    if plan.disaster_recovery and not plan.vms:
        raise BadRequest(f"{field}.disasterRecovery", "is of VMs, and the plan names none")
    for at, disk in enumerate(plan.disks):
        _check_disk(disk, f"{field}.disks[{at}]")


def _sizes(plan: Plan, field: str) -> Iterator[tuple[str, str]]:
    return ((f"{field}.vms[{at}].size", vm.size) for at, vm in enumerate(plan.vms))


def _check_disk(disk: Disk, field: str) -> None:
    if disk.kind is Kind.ULTRA:
        if disk.iops is None or disk.throughput_mbps is None:
            name = "iops" if disk.iops is None else "throughputMbps"
            raise BadRequest(f"{field}.{name}", "is required of an ultra disk: it is paid for by itself")
        problem = ultra_problem(disk.size_gib, disk.iops, disk.throughput_mbps)
        if problem is not None:
            raise BadRequest(f"{field}.{problem.field}", problem.reason)
        return
    for name, value in (("iops", disk.iops), ("throughputMbps", disk.throughput_mbps)):
        if value is not None:
            raise BadRequest(f"{field}.{name}", "is said of ultra disks only: others come with what their size gives")
    if disk.size_gib > disk.kind.largest_gib:
        raise BadRequest(f"{field}.sizeGib", f"is above {disk.kind.largest_gib}, the largest disk of this kind")
