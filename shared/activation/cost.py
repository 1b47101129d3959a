"""What a plan costs, by list prices that are passed in: lines, sums, what is left out, what no price was found for. Pure.

A month is 730 hours, as in Azure's own calculator. Each figure of a line is rounded by itself, half up, from the unrounded
product; a sum is the sum of its lines as they are shown. So more of anything is never cheaper.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from shared.activation.disks import Kind
from shared.activation.meters import FREE_RECOVERY_DAYS, HOURLY, Part, meters, parts_of
from shared.activation.plan import Plan
from shared.arm.price_shapes import Price, PriceList, PriceQuery, in_force, tiers_of

HOURS_A_MONTH = Decimal(730)
_HOURS_A_DAY = 24

_MONEY, _HOURLY = Decimal("0.01"), Decimal("0.000001")

_ALWAYS_LEFT_OUT = (
    "taxes",
    "negotiated prices, reservations, savings plans and credits: these are list prices",
    "licences other than that of Windows",
    "traffic that leaves the region, public addresses and other parts of the network",
    "snapshots and backups",
)


class Line(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One meter of one part. `for_hours`: of the activation. `for_days`: of the plan. `monthly`: left running, 730 hours."""

    what: str
    meter: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    hourly: Decimal
    for_hours: Decimal
    monthly: Decimal
    for_days: Decimal


class Estimate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a plan costs. Where `unpriced` names anything, the sums are at least.

    `oldest_price`: when the oldest of its prices was asked for; None where it has none.
    """

    currency: str
    hours: int
    days: int
    lines: tuple[Line, ...]
    hourly: Decimal
    for_hours: Decimal
    monthly: Decimal
    for_days: Decimal
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    unpriced: tuple[str, ...]
    priced_at: datetime
    oldest_price: datetime | None

    @property
    def is_whole(self) -> bool:
        """Whether every part has its price."""
        return not self.unpriced


def estimate(
    plan: Plan, hours: int, prices: Mapping[PriceQuery, PriceList], *, currency: str, now: datetime
) -> Estimate:
    """The cost of a plan. `hours`: how long the role would be active. `prices`: of each query of its parts."""
    lines: list[Line] = []
    unpriced: list[str] = []
    asked: list[datetime] = []
    for part in parts_of(plan):
        found = _found(part, prices, now)
        if found is None:
            unpriced.append(f"{part.what}: no such price is listed for {plan.region}")
            continue
        tiers, at = found
        lines.extend(_lines(part, tiers, hours, plan.days))
        asked.append(at)
    return Estimate(
        currency=currency,
        hours=hours,
        days=plan.days,
        lines=tuple(lines),
        hourly=sum((one.hourly for one in lines), Decimal(0)),
        for_hours=sum((one.for_hours for one in lines), Decimal(0)),
        monthly=sum((one.monthly for one in lines), Decimal(0)),
        for_days=sum((one.for_days for one in lines), Decimal(0)),
        left_out=tuple(_left_out(plan)),
        notes=tuple(_notes(plan, currency)),
        unpriced=tuple(unpriced),
        priced_at=now,
        oldest_price=min(asked, default=None),
    )


def _found(part: Part, prices: Mapping[PriceQuery, PriceList], now: datetime) -> tuple[list[Price], datetime] | None:
    """The tiers of the part's meter, of the first query that knows it, and when that was asked."""
    for query in part.queries:
        listed = prices.get(query)
        if listed is None:
            continue
        tiers = tiers_of(in_force(meters(part, listed.prices), now))
        # Without the tier that begins at nothing it is not known what the first units cost.
        if tiers and tiers[0].tier_minimum_units == 0:
            return tiers, listed.at
    return None


def _lines(part: Part, tiers: list[Price], hours: int, days: int) -> Iterator[Line]:
    """A line for each tier that the quantity reaches into."""
    ends = [*(one.tier_minimum_units for one in tiers[1:]), None]
    for price, end in zip(tiers, ends, strict=True):
        upper = part.quantity if end is None else min(part.quantity, end)
        quantity = upper - price.tier_minimum_units
        if quantity > 0:
            yield _line(part, price, quantity, hours, days)


def _line(part: Part, price: Price, quantity: Decimal, hours: int, days: int) -> Line:
    cost = quantity * price.retail_price
    # Products first, the division last: nothing is lost by a rounded quotient.
    divisor = Decimal(1) if price.unit_of_measure in HOURLY else HOURS_A_MONTH
    paid_hours = max(0, hours - part.free_days * _HOURS_A_DAY)
    paid_days = max(0, days - part.free_days)
    return Line(
        what=part.what,
        meter=price.meter_name,
        quantity=quantity,
        unit=price.unit_of_measure,
        unit_price=price.retail_price,
        hourly=_rounded(cost / divisor, _HOURLY),
        for_hours=_rounded(cost * paid_hours / divisor, _MONEY),
        monthly=_rounded(cost * HOURS_A_MONTH / divisor, _MONEY),
        for_days=_rounded(cost * paid_days * _HOURS_A_DAY / divisor, _MONEY),
    )


def _rounded(amount: Decimal, to: Decimal) -> Decimal:
    return amount.quantize(to, ROUND_HALF_UP)


def _left_out(plan: Plan) -> Iterator[str]:
    yield from _ALWAYS_LEFT_OUT
    kinds = {disk.kind for disk in plan.disks}
    if kinds & {Kind.STANDARD_SSD, Kind.STANDARD_HDD}:
        yield "transactions of standard disks"
    if plan.blob is not None:
        yield "transactions and retrieval of blob storage"
    if Kind.ULTRA in kinds:
        yield "the fee for a VM that is enabled for ultra disks while none is attached"
    vms = sum(vm.count for vm in plan.vms)
    bootable = sum(disk.count for disk in plan.disks if disk.kind.carries_an_operating_system)
    if vms > bootable:
        yield f"disks of the operating system: the plan has {vms} VMs, and {bootable} disks that could be theirs"
    if plan.disaster_recovery:
        yield "Site Recovery's cache storage and traffic between regions, and VMs that stand by"


def _notes(plan: Plan, currency: str) -> Iterator[str]:
    if plan.blob is not None:
        yield (
            "Virtual Machine Contributor cannot make a storage account: the blob storage needs one that is there, or Storage "
            "Account Contributor"
        )
    if plan.disaster_recovery:
        yield (
            f"Site Recovery takes no fee for the first {FREE_RECOVERY_DAYS} days of each VM: the sums for the hours and the "
            "days leave them out, those for an hour and a month do not"
        )
        yield "the replicas of Site Recovery stand in another region: they are priced as in this one"
        if any(disk.kind is Kind.ULTRA for disk in plan.disks):
            yield "Site Recovery is not documented for ultra disks: they have no replicas here"
    if currency != "USD":
        yield f"Microsoft sets its prices in USD: those in {currency} are for reference"
