"""The estimate, reckoned by hand, and what always holds of it."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.activation.cost import Estimate, estimate
from shared.activation.disks import Kind
from shared.activation.plan import Blob, Disk, OperatingSystem, Plan, Redundancy, Vm
from shared.arm.price_shapes import PriceList
from tests.unit.pricing import (
    D4,
    E8,
    NOW,
    REGION,
    blobs,
    disks,
    listed,
    plan,
    plans,
    price,
    priced,
    sums,
    vm_rows,
    vms,
    without,
)


def dec(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(one) for one in amounts)


def test_linux_and_windows_machines_by_the_hour() -> None:
    found = priced(
        plan(
            vms=(Vm(size=D4, count=3), Vm(size=E8, operating_system=OperatingSystem.WINDOWS)),
            disks=(Disk(kind=Kind.STANDARD_HDD, size_gib=32, count=4),),
        )
    )

    # Linux: 3 x 0.20 = 0.60 an hour; 8 h: 4.80; 730 h: 438.00; 30 days = 720 h: 432.00
    # Windows: 1 x 0.918; 8 h: 7.344; 730 h: 670.14; 720 h: 660.96
    # S4: 4 x 4 = 16.00 a month; / 730 = 0.021917808...; x 8 = 0.175342...; x 720 = 15.780821...
    assert [(one.hourly, one.for_hours, one.monthly, one.for_days) for one in found.lines] == [
        dec("0.60", "4.80", "438.00", "432.00"),
        dec("0.918", "7.34", "670.14", "660.96"),
        dec("0.021918", "0.18", "16.00", "15.78"),
    ]
    # 0.60 + 0.918 + 0.021918; 4.80 + 7.34 + 0.18; 438.00 + 670.14 + 16.00; 432.00 + 660.96 + 15.78
    assert sums(found) == dec("1.539918", "12.32", "1124.14", "1108.74")
    assert found.is_whole
    assert "transactions of standard disks" in found.left_out


def test_premium_disks_by_the_month_as_the_tier_above() -> None:
    found = priced(plan(disks=(Disk(kind=Kind.PREMIUM_SSD, size_gib=129, count=2),)), hours=73)

    # 129 GiB is billed as P15: 2 x 15 = 30.00 a month; / 730 = 0.041095890...
    # x 73 = 3.00; 30 days = 720 h: 30 x 720 / 730 = 29.589041...
    assert sums(found) == dec("0.041096", "3.00", "30.00", "29.59")
    assert (found.lines[0].meter, found.lines[0].quantity) == ("P15 LRS Disk", Decimal(2))


def test_an_ultra_disk_by_size_iops_and_throughput() -> None:
    disk = Disk(kind=Kind.ULTRA, size_gib=1000, iops=20_000, throughput_mbps=500, count=2)
    found = priced(plan(disks=(disk,)))

    # 1000 GiB is billed as 1024: 2 x 1024 x 0.00017 = 0.34816; 8 h: 2.78528; 730 h: 254.1568; 720 h: 250.6752
    # IOPS: 2 x 20000 x 0.00007 = 2.80; 8 h: 22.40; 730 h: 2044.00; 720 h: 2016.00
    # MB/s: 2 x 500 x 0.0005 = 0.50; 8 h: 4.00; 730 h: 365.00; 720 h: 360.00
    assert [(one.hourly, one.for_hours, one.monthly, one.for_days) for one in found.lines] == [
        dec("0.348160", "2.79", "254.16", "250.68"),
        dec("2.80", "22.40", "2044.00", "2016.00"),
        dec("0.50", "4.00", "365.00", "360.00"),
    ]
    assert sums(found) == dec("3.648160", "29.19", "2663.16", "2626.68")
    assert any("enabled for ultra" in one for one in found.left_out)


@pytest.mark.parametrize(
    ("gb", "monthly"),
    [
        (1, ["0.02"]),
        (51_199, ["1023.98"]),  # 51199 x 0.02
        (51_200, ["1024.00"]),  # 51200 x 0.02
        (51_201, ["1024.00", "0.02"]),  # one more, at 0.019
        (512_000, ["1024.00", "8755.20"]),  # 460800 x 0.019
        (512_001, ["1024.00", "8755.20", "0.02"]),  # one more, at 0.018
        (600_000, ["1024.00", "8755.20", "1584.00"]),  # 88000 x 0.018
    ],
)
def test_blob_storage_walks_its_tiers_and_changes_at_their_edges(gb: int, monthly: list[str]) -> None:
    found = priced(plan(blob=Blob(gb=gb, redundancy=Redundancy.GRS)))

    assert [str(one.monthly) for one in found.lines] == monthly
    assert sum(one.quantity for one in found.lines) == gb
    assert {one.meter for one in found.lines} == {"Hot GRS Data Stored"}
    assert any("cannot make a storage account" in one for one in found.notes)


def test_blob_accounts_stand_in_where_a_region_lists_no_other() -> None:
    wanted = plan(blob=Blob(gb=10))
    prices = {
        query: PriceList(
            prices=(price("Hot LRS Data Stored", "1 GB/Month", "0.03"),)
            if query.product_name == "Blob Storage"
            else (),
            at=NOW,
        )
        for query in listed(wanted)
    }

    # 10 x 0.03
    assert estimate(wanted, 8, prices, currency="USD", now=NOW).monthly == Decimal("0.30")


def test_disaster_recovery_is_a_fee_for_each_machine_after_its_free_days_and_replicas_of_the_disks() -> None:
    parts = plan(
        days=61,
        vms=(Vm(size=D4, count=2),),
        disks=(
            Disk(kind=Kind.PREMIUM_SSD, size_gib=128, count=2),
            Disk(kind=Kind.ULTRA, size_gib=4, iops=100, throughput_mbps=1),
        ),
    )
    with_it = priced(msgspec.structs.replace(parts, disaster_recovery=True))
    plain = priced(parts)
    fee, replicas = with_it.lines[-2:]

    # The fee: 2 x 25 = 50.00 a month; / 730 = 0.068493...; in the first 31 days nothing; then (61 - 31) x 24 = 720 h:
    # 50 x 720 / 730 = 49.315068...
    assert (fee.hourly, fee.for_hours, fee.monthly, fee.for_days) == dec("0.068493", "0.00", "50.00", "49.32")
    # The replicas: 2 x P10 = 20.00 a month; x 8 / 730 = 0.219178...; 61 days = 1464 h: 20 x 1464 / 730 = 40.109589...
    assert (replicas.for_hours, replicas.monthly, replicas.for_days) == dec("0.22", "20.00", "40.11")
    assert with_it.monthly - plain.monthly == Decimal("70.00")
    assert any("first 31 days" in one for one in with_it.notes)
    assert any("not documented for ultra" in one for one in with_it.notes)
    assert not any("Site Recovery" in one for one in plain.notes + plain.left_out)


def test_the_first_month_of_a_protected_machine_has_no_fee_for_its_days() -> None:
    found = priced(plan(days=31, vms=(Vm(size=D4),), disaster_recovery=True), hours=31 * 24 + 73)

    # 73 h beyond: 25 x 73 / 730 = 2.50
    assert (found.lines[-1].for_hours, found.lines[-1].for_days) == dec("2.50", "0.00")


def test_a_size_that_is_not_listed_is_named_and_the_sums_are_of_the_rest() -> None:
    found = priced(plan(vms=(Vm(size="Standard_X1"), Vm(size=D4))))

    assert found.unpriced == (f"1 x Standard_X1 (linux): no such price is listed for {REGION}",)
    assert not found.is_whole
    assert found.hourly == Decimal("0.20")


def test_prices_of_no_use_are_never_taken() -> None:
    """Spot, Low Priority, Cloud Services, reservations, DevTest, and rows of 0: without the others there is no price."""
    wanted = plan(vms=(Vm(size=D4), Vm(size=D4, operating_system=OperatingSystem.WINDOWS)))
    [query] = listed(wanted)
    prices = {query: PriceList(prices=vm_rows("0.20", "0.384")[2:], at=NOW)}

    found = estimate(wanted, 8, prices, currency="USD", now=NOW)

    assert (found.lines, len(found.unpriced)) == ((), 2)
    assert found.oldest_price is None


@pytest.mark.parametrize(
    ("changes", "monthly"),
    [
        ({"effective_start_date": NOW + timedelta(days=1)}, "10.00"),  # is to come
        ({"effective_start_date": NOW - timedelta(days=1)}, "12.00"),  # has come
        ({"meter_id": "another"}, "12.00"),  # which of the two it is, nobody knows: the dearer
        ({"unit_of_measure": "1/Hour"}, "10.00"),
        ({"is_primary_meter_region": False, "meter_id": "another"}, "10.00"),
        ({"is_primary_meter_region": False, "effective_start_date": NOW - timedelta(days=1)}, "10.00"),
    ],
)
def test_of_two_prices_the_one_that_holds_is_taken(changes: dict[str, object], monthly: str) -> None:
    wanted = plan(disks=(Disk(kind=Kind.PREMIUM_SSD, size_gib=128),))
    [query] = listed(wanted)
    other = msgspec.structs.replace(price("P10 LRS Disk", "1/Month", "12"), **changes)
    prices = {query: PriceList(prices=(price("P10 LRS Disk", "1/Month", "10"), other), at=NOW)}

    assert estimate(wanted, 8, prices, currency="USD", now=NOW).monthly == Decimal(monthly)


def test_a_size_that_shares_another_s_meter_has_the_price_of_its_secondary_row() -> None:
    wanted = plan(vms=(Vm(size=D4),))
    [query] = listed(wanted)
    rows = tuple(msgspec.structs.replace(one, is_primary_meter_region=False) for one in vm_rows("0.20", "0.384"))

    found = estimate(wanted, 8, {query: PriceList(prices=rows, at=NOW)}, currency="USD", now=NOW)

    assert (found.hourly, found.unpriced) == (Decimal("0.20"), ())


def test_tiers_without_a_first_one_are_no_price() -> None:
    wanted = plan(blob=Blob(gb=60_000))
    row = price("Hot LRS Data Stored", "1 GB/Month", "0.01", tier_minimum_units=Decimal(51_200))
    prices = {query: PriceList(prices=(row,), at=NOW) for query in listed(wanted)}

    assert len(estimate(wanted, 8, prices, currency="USD", now=NOW).unpriced) == 1


def test_the_oldest_price_is_the_one_that_is_shown() -> None:
    wanted = plan(vms=(Vm(size=D4), Vm(size=E8)))
    first, second = listed(wanted).items()
    prices = dict([first, (second[0], msgspec.structs.replace(second[1], at=NOW - timedelta(days=3)))])

    assert estimate(wanted, 8, prices, currency="USD", now=NOW).oldest_price == NOW - timedelta(days=3)


def test_what_is_left_out_is_named() -> None:
    found = priced(plan(vms=(Vm(size=D4, count=3),), disks=(Disk(kind=Kind.PREMIUM_SSD, size_gib=8),)))
    named = " ".join(found.left_out)

    assert all(
        word in named for word in ("taxes", "reservations", "licences", "traffic", "snapshots", "3 VMs, and 1 disks")
    )
    assert not any("disks of the operating system" in one for one in priced(plan(blob=Blob(gb=1))).left_out)


def test_another_currency_is_said_to_be_for_reference() -> None:
    wanted = plan(vms=(Vm(size=D4),))

    assert any("for reference" in one for one in priced(wanted, currency="EUR").notes)
    assert not any("for reference" in one for one in priced(wanted).notes)


def test_on_the_wire_money_is_a_string_in_plain_figures() -> None:
    found = priced(plan(blob=Blob(gb=1)))
    wire = msgspec.json.decode(msgspec.json.encode(found))

    assert (wire["monthly"], wire["lines"][0]["unitPrice"]) == ("0.02", "0.02")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Estimate) == found


def _at_least(more: Estimate, less: Estimate) -> bool:
    return all(one >= other for one, other in zip(sums(more), sums(less), strict=True))


@given(plans(), vms | disks() | blobs)
def test_adding_a_line_never_lowers_a_sum(found: Plan, part: Vm | Disk | Blob) -> None:
    match part:
        case Vm():
            more = msgspec.structs.replace(found, vms=(*found.vms, part))
        case Disk():
            more = msgspec.structs.replace(found, disks=(*found.disks, part))
        case Blob():
            less = found.blob or Blob(gb=0, redundancy=part.redundancy)
            more = msgspec.structs.replace(found, blob=msgspec.structs.replace(less, gb=less.gb + part.gb))

    assert _at_least(priced(more), priced(found))


@given(plans(), st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 1000))
def test_more_hours_and_more_days_are_never_cheaper(found: Plan, hours: int, more: int, days: int) -> None:
    longer = msgspec.structs.replace(found, days=found.days + days)

    assert _at_least(priced(longer, hours + more), priced(found, hours))


@given(plans())
def test_recovery_never_lowers_a_sum(found: Plan) -> None:
    with_it = msgspec.structs.replace(found, disaster_recovery=True)

    assert _at_least(priced(with_it), priced(msgspec.structs.replace(found, disaster_recovery=False)))


@given(plans())
def test_the_sums_are_those_of_the_lines_exact_to_the_cent_and_no_float(found: Plan) -> None:
    made = priced(found)

    assert sums(made) == tuple(
        sum((getattr(one, name) for one in made.lines), Decimal(0))
        for name in ("hourly", "for_hours", "monthly", "for_days")
    )
    for line in made.lines:
        figures = (line.quantity, line.unit_price, line.hourly, line.for_hours, line.monthly, line.for_days)
        assert all(type(one) is Decimal and one >= 0 for one in figures)
        assert all(one.as_tuple().exponent == -2 for one in figures[3:])


@given(st.integers(1, 5_000_000), st.integers(1, 1000))
def test_more_data_costs_more_and_never_more_than_at_the_first_tier_s_price(gb: int, more: int) -> None:
    less, greater = priced(plan(blob=Blob(gb=gb))), priced(plan(blob=Blob(gb=gb + more)))

    assert less.monthly <= greater.monthly
    assert less.monthly <= gb * Decimal("0.02") + Decimal("0.02")


@given(plans(), st.data())
def test_a_part_without_a_price_is_named_and_lowers_the_sums_only_by_itself(found: Plan, data: st.DataObject) -> None:
    whole = priced(found)
    names = sorted({one.meter for one in whole.lines})
    gone = data.draw(st.sampled_from(names))
    part = estimate(found, 8, without(listed(found), [gone]), currency="USD", now=NOW)

    assert part.unpriced
    assert part.lines == tuple(one for one in whole.lines if one.meter != gone)
