"""Managed disks: which sizes there are, what each is billed as, and what an ultra disk may be set to. Pure.

Sizes and limits: Azure managed disk types (disks-types), its tables of sizes and its pages on ultra disks.
"""

from bisect import bisect_left
from decimal import Decimal
from enum import StrEnum
from math import ceil

import msgspec

_SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
_NUMBERS = (1, 2, 3, 4, 6, 10, 15, 20, 30, 40, 50, 60, 70, 80)
"""The tiers of premium and standard SSDs, by GiB: P1, P2, ... and E1, E2, ... A disk is billed as the next tier up."""

_SMALLEST_HDD = 3
"""Standard HDDs begin with S4, of 32 GiB."""

_ULTRA_SIZES = (4, 8, 16, 32, 64, 128, 256, 512)
"""Above, an ultra disk's size grows by whole TiB."""

_TIB = 1024
_LARGEST_ULTRA_GIB, _MOST_IOPS, _MOST_MBPS = 64 * _TIB, 400_000, 10_000
_IOPS_PER_GIB, _MBPS_PER_IOPS = 1000, Decimal("0.25")
_FEWEST_IOPS, _FEWEST_IOPS_PER_GIB, _MBPS_FLOOR_PER_IOPS = 100, 1, Decimal("0.004")


class Kind(StrEnum):
    """Kinds of managed disks."""

    PREMIUM_SSD = "premiumSsd"
    STANDARD_SSD = "standardSsd"
    STANDARD_HDD = "standardHdd"
    ULTRA = "ultra"

    @property
    def product(self) -> str:
        """The product's name in the price list."""
        return _PRODUCTS[self]

    @property
    def largest_gib(self) -> int:
        """The largest disk of the kind."""
        return _LARGEST_ULTRA_GIB if self is Kind.ULTRA else _SIZES[-1]

    @property
    def carries_an_operating_system(self) -> bool:
        """Whether a VM may start from it: an ultra disk holds data only."""
        return self is not Kind.ULTRA


_PRODUCTS = {
    Kind.PREMIUM_SSD: "Premium SSD Managed Disks",
    Kind.STANDARD_SSD: "Standard SSD Managed Disks",
    Kind.STANDARD_HDD: "Standard HDD Managed Disks",
    Kind.ULTRA: "Ultra Disks",
}
_LETTERS = {Kind.PREMIUM_SSD: "P", Kind.STANDARD_SSD: "E", Kind.STANDARD_HDD: "S"}


class Problem(msgspec.Struct, frozen=True):
    """What an ultra disk cannot be: the field and why."""

    field: str
    reason: str


def tier_of(kind: Kind, size_gib: int) -> str:
    """The tier that a premium or standard disk is billed as: P10 for 65 to 128 GiB."""
    at = bisect_left(_SIZES, size_gib)
    if kind is Kind.STANDARD_HDD:
        at = max(at, _SMALLEST_HDD)
    return f"{_LETTERS[kind]}{_NUMBERS[at]}"


def ultra_gib(size_gib: int) -> int:
    """The size that an ultra disk is billed as."""
    for size in _ULTRA_SIZES:
        if size_gib <= size:
            return size
    return -(-size_gib // _TIB) * _TIB


def ultra_problem(size_gib: int, iops: int, mbps: int) -> Problem | None:
    """Why there is no such ultra disk; None where there is. MB/s are of 10^6 bytes."""
    if size_gib > _LARGEST_ULTRA_GIB:
        return Problem("sizeGib", f"is above {_LARGEST_ULTRA_GIB}, the largest ultra disk")
    size = ultra_gib(size_gib)
    fewest, most = max(_FEWEST_IOPS, size * _FEWEST_IOPS_PER_GIB), min(_MOST_IOPS, size * _IOPS_PER_GIB)
    if not fewest <= iops <= most:
        return Problem("iops", f"must be from {fewest} to {most} for a disk of {size} GiB")
    # Whole MB/s: the least is rounded up, the most down.
    least = max(1, ceil(iops * _MBPS_FLOOR_PER_IOPS))
    largest = min(_MOST_MBPS, int(iops * _MBPS_PER_IOPS))
    if not least <= mbps <= largest:
        return Problem("throughputMbps", f"must be from {least} to {largest} for {iops} IOPS")
    return None
