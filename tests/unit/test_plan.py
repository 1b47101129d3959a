"""Plans: what Azure could not build, or nobody could price, is refused with its field."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from shared.activation.disks import Kind, tier_of, ultra_gib, ultra_problem
from shared.activation.plan import Plan, check
from shared.arm.price_shapes import PriceQuery
from shared.bodies import decode
from shared.errors import BadRequest
from tests.unit.pricing import plans

_ULTRA = {"kind": "ultra", "sizeGib": 512, "iops": 20000, "throughputMbps": 1000}


def read(**parts: Any) -> Plan:
    """A plan from the wire."""
    body = {"region": "westeurope", "days": 5, **parts}
    found = decode(msgspec.json.encode(body), "application/json", Plan)
    check(found)
    return found


def test_a_plan_is_read_in_the_words_of_the_wire() -> None:
    found = read(
        vms=[{"size": "Standard_D4s_v5", "count": 2, "operatingSystem": "windows"}],
        disks=[{"kind": "premiumSsd", "sizeGib": 100}, _ULTRA],
        blob={"gb": 500, "redundancy": "RA-GRS"},
        disasterRecovery=True,
    )

    assert (found.vms[0].count, found.disks[0].count, found.disks[1].iops) == (2, 1, 20000)
    assert found.disaster_recovery
    assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({}, "plan"),
        ({"vms": [{"size": "D4s_v5"}]}, "vms[0].size"),
        ({"vms": [{"size": "Standard_D4' or 1 eq 1"}]}, "vms[0].size"),
        ({"vms": [{"size": "Standard_D4s_v5", "count": 0}]}, "vms[0].count"),
        ({"vms": [{"size": "Standard_D4s_v5", "os": "linux"}]}, "vms[0].os"),
        ({"vms": [{"size": "Standard_D4s_v5"}] * 51}, "vms"),
        ({"region": "West Europe", "blob": {"gb": 1}}, "region"),
        ({"region": "westeurope\n", "blob": {"gb": 1}}, "plan.region"),
        ({"vms": [{"size": "Standard_D4s_v5"}, {"size": "Standard_D4s_v5\n"}]}, "plan.vms[1].size"),
        ({"days": 0, "blob": {"gb": 1}}, "days"),
        ({"days": 1097, "blob": {"gb": 1}}, "days"),
        ({"blob": {"gb": 0}}, "blob.gb"),
        ({"blob": {"gb": 1, "redundancy": "grs"}}, "blob.redundancy"),
        ({"blob": {"gb": 1}, "disasterRecovery": True}, "plan.disasterRecovery"),
        ({"disks": [{"kind": "premiumSsd", "sizeGib": 32768}]}, "plan.disks[0].sizeGib"),
        ({"disks": [{"kind": "standardHdd", "sizeGib": 32, "iops": 100}]}, "plan.disks[0].iops"),
        ({"disks": [{"kind": "standardSsd", "sizeGib": 32, "throughputMbps": 1}]}, "plan.disks[0].throughputMbps"),
        ({"disks": [{**_ULTRA, "iops": None}]}, "plan.disks[0].iops"),
        ({"disks": [{**_ULTRA, "throughputMbps": None}]}, "plan.disks[0].throughputMbps"),
        ({"disks": [_ULTRA, {**_ULTRA, "sizeGib": 65537}]}, "disks[1].sizeGib"),
        ({"disks": [_ULTRA, {**_ULTRA, "throughputMbps": 5001}]}, "plan.disks[1].throughputMbps"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(parts: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**parts)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("size", "iops", "mbps", "field"),
    [
        (65536, 400_000, 10_000, None),  # 64 TiB with all that there is
        (65537, 400_000, 10_000, "sizeGib"),
        (65536, 400_001, 10_000, "iops"),
        (65536, 400_000, 10_001, "throughputMbps"),
        (4, 4000, 1000, None),  # 4 GiB x 1000 IOPS; 4000 IOPS x 0.25 MB/s
        (4, 4001, 1000, "iops"),
        (4, 4000, 1001, "throughputMbps"),
        (5, 8000, 10, "throughputMbps"),  # billed as 8 GiB; 8000 x 0.004 = 32 MB/s at least
        (5, 8000, 32, None),
        (4, 100, 1, None),  # 100 x 0.004 = 0.4: 1 MB/s at least
        (4, 99, 1, "iops"),
        (1025, 2047, 100, "iops"),  # billed as 2 TiB: 2048 IOPS at least
        (1025, 2048, 100, None),
    ],
)
def test_an_ultra_disk_keeps_to_the_limits_of_its_size(size: int, iops: int, mbps: int, field: str | None) -> None:
    found = ultra_problem(size, iops, mbps)

    assert (found and found.field) == field


@pytest.mark.parametrize(
    ("kind", "size", "tier"),
    [
        (Kind.PREMIUM_SSD, 1, "P1"),
        (Kind.PREMIUM_SSD, 4, "P1"),
        (Kind.PREMIUM_SSD, 5, "P2"),
        (Kind.PREMIUM_SSD, 128, "P10"),
        (Kind.PREMIUM_SSD, 129, "P15"),
        (Kind.PREMIUM_SSD, 32767, "P80"),
        (Kind.STANDARD_SSD, 64, "E6"),
        (Kind.STANDARD_SSD, 65, "E10"),
        (Kind.STANDARD_HDD, 4, "S4"),  # there are no S1 to S3
        (Kind.STANDARD_HDD, 32, "S4"),
        (Kind.STANDARD_HDD, 33, "S6"),
        (Kind.STANDARD_HDD, 1024, "S30"),
    ],
)
def test_a_disk_is_billed_as_the_next_tier_up(kind: Kind, size: int, tier: str) -> None:
    assert tier_of(kind, size) == tier


@pytest.mark.parametrize(
    ("size", "billed"), [(1, 4), (4, 4), (5, 8), (512, 512), (513, 1024), (1024, 1024), (1025, 2048), (65536, 65536)]
)
def test_an_ultra_disk_is_billed_by_the_size_that_there_is(size: int, billed: int) -> None:
    assert ultra_gib(size) == billed


@given(plans())
def test_whatever_passes_is_the_same_after_it_was_kept(found: Plan) -> None:
    check(found)

    assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found


def test_an_apostrophe_in_a_name_never_ends_a_value_of_the_filter() -> None:
    query = PriceQuery(region="westeurope", arm_sku_name="x' or armRegionName eq 'eastus")

    assert query.filter == (
        "armSkuName eq 'x'' or armRegionName eq ''eastus' and armRegionName eq 'westeurope' and priceType eq 'Consumption'"
    )
