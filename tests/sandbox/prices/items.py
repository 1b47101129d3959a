"""Rows of the price list, and the rows of every world: a few VM sizes, disks, blob storage and Site Recovery by region."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

REGIONS = {
    "westeurope": ("EU West", Decimal("1.00")),
    "germanywestcentral": ("DE West Central", Decimal("1.05")),
    "eastus": ("US East", Decimal("0.85")),
}
"""Where things are sold, and how their price differs."""

_SIZES = {
    "Standard_B2s": ("B2s", "Virtual Machines BS Series", "0.05", "0.008"),
    "Standard_D2s_v5": ("D2s v5", "Virtual Machines Dsv5 Series", "0.10", "0.092"),
    "Standard_D4s_v5": ("D4s v5", "Virtual Machines Dsv5 Series", "0.20", "0.184"),
    "Standard_D8s_v5": ("D8s v5", "Virtual Machines Dsv5 Series", "0.40", "0.368"),
    "Standard_E8-4s_v5": ("E8-4s v5", "Virtual Machines Esv5 Series", "0.60", "0.368"),
    "Standard_E8s_v5": ("E8s v5", "Virtual Machines Esv5 Series", "0.60", "0.368"),
    "Standard_M128s": ("M128s", "Virtual Machines MS Series", "16.00", "5.888"),
    "Standard_NC24ads_A100_v4": ("NC24ads A100 v4", "Virtual Machines NCads A100 v4 Series", "4.50", "1.104"),
}
"""Meter, product, the hour in USD with Linux, and what Windows adds."""

SHARING = {"Standard_E8-4s_v5": "E8s v5"}
"""Sizes that are counted by another's meter: none of their rows is primary."""

_TIERS = (1, 2, 3, 4, 6, 10, 15, 20, 30, 40, 50, 60, 70, 80)
_GIB = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
_DISKS = {"P": "0.15", "E": "0.075", "S": "0.04"}
_DISK_PRODUCTS = {
    "P": "Premium SSD Managed Disks",
    "E": "Standard SSD Managed Disks",
    "S": "Standard HDD Managed Disks",
}
_REDUNDANCIES = {"LRS": "0.0200", "ZRS": "0.0250", "GRS": "0.0400", "RA-GRS": "0.0500", "GZRS": "0.0450"}
_LONG_AGO = datetime(2021, 6, 1, tzinfo=UTC)
VIRTUAL_MACHINES, STORAGE, RECOVERY = "Virtual Machines", "Storage", "Azure Site Recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row in USD. `usd` is what it says; other currencies are reckoned from it."""

    usd: Decimal
    unit: str
    meter: str
    product: str
    sku: str
    service: str
    region: str
    family: str
    arm_sku: str = ""
    type: str = "Consumption"
    tier_minimum: Decimal = Decimal(0)
    since: datetime = _LONG_AGO
    primary: bool = True
    shares: str = ""
    term: str | None = None
    saving: bool = False

    def wire(self, currency: str, rate: Decimal) -> dict[str, Any]:
        """The row as it is sent; figures are numbers."""
        price = float(self.usd * rate)
        told: dict[str, Any] = {
            "currencyCode": currency,
            "tierMinimumUnits": float(self.tier_minimum),
            "retailPrice": price,
            "unitPrice": price,
            "armRegionName": self.region,
            "location": REGIONS[self.region][0] if self.region in REGIONS else "",
            "effectiveStartDate": self.since.isoformat().replace("+00:00", "Z"),
            "meterId": _guid("meter", self.shares or self.meter, self.product, self.region),
            "meterName": self.meter,
            "productId": _guid("product", self.product)[:12].upper(),
            "skuId": f"{_guid('product', self.product)[:12].upper()}/{_guid('sku', self.sku)[:4].upper()}",
            "productName": self.product,
            "skuName": self.sku,
            "serviceName": self.service,
            "serviceId": _guid("service", self.service)[:12].upper(),
            "serviceFamily": self.family,
            "unitOfMeasure": self.unit,
            "type": self.type,
            "isPrimaryMeterRegion": self.primary,
            "armSkuName": self.arm_sku,
        }
        if self.term is not None:
            told["reservationTerm"] = self.term
        if self.saving:
            told["savingsPlan"] = [
                {"unitPrice": price * 0.6, "retailPrice": price * 0.6, "term": "3 Years"},
                {"unitPrice": price * 0.8, "retailPrice": price * 0.8, "term": "1 Year"},
            ]
        return told

    def field(self, name: str) -> str:
        """The value that a filter compares."""
        plain = {
            "priceType": self.type,
            "armRegionName": self.region,
            "armSkuName": self.arm_sku,
            "meterName": self.meter,
            "productName": self.product,
            "skuName": self.sku,
            "serviceName": self.service,
            "serviceFamily": self.family,
        }
        return plain[name] if name in plain else str(self.wire("USD", Decimal(1))[name])


def stocked() -> list[Item]:
    """What every world sells."""
    return [item for region, (_, factor) in REGIONS.items() for item in _of_a_region(region, factor)]


def vm_rows(size: str, region: str, factor: Decimal = Decimal(1)) -> Iterator[Item]:
    """Everything that bears the name of a size: two rows are its prices, and the others traps."""
    meter, product, linux, windows = _SIZES[size]
    row = Item(
        usd=Decimal(linux) * factor,
        unit="1 Hour",
        meter=meter,
        product=product,
        sku=meter,
        service=VIRTUAL_MACHINES,
        region=region,
        family="Compute",
        arm_sku=size,
        saving=True,
        primary=size not in SHARING,
        shares=SHARING.get(size, ""),
    )
    yield row
    yield replace(
        row, usd=(Decimal(linux) + Decimal(windows)) * factor, product=f"{product} Windows", sku=meter, saving=False
    )
    for name, share in (("Spot", "0.2"), ("Low Priority", "0.25")):
        named = f"{meter} {name}"
        yield replace(row, usd=row.usd * Decimal(share), meter=named, sku=named, saving=False)
    yield replace(row, usd=row.usd * Decimal("0.9"), product=f"{product} CloudServices", saving=False)
    yield replace(row, usd=row.usd * Decimal("0.7"), product=f"{product} Windows", type="DevTestConsumption")
    for term, hours in (("1 Year", 5000), ("3 Years", 10000)):
        yield replace(row, usd=row.usd * hours, type="Reservation", term=term, saving=False)
    if row.primary:
        yield replace(row, usd=row.usd * Decimal("0.5"), primary=False, saving=False)


def _of_a_region(region: str, factor: Decimal) -> Iterator[Item]:
    for size in _SIZES:
        yield from vm_rows(size, region, factor)
    yield from _disks(region, factor)
    yield from _ultra(region, factor)
    yield from _blobs(region, factor)
    for sku, usd in (("Azure", "25"), ("System Center", "16")):
        yield Item(
            usd=Decimal(usd),
            unit="1/Month",
            meter=f"VM Replicated to {sku}",
            product=RECOVERY,
            sku=sku,
            service=RECOVERY,
            region=region,
            family="Management and Governance",
        )


def _storage(region: str, **parts: Any) -> Item:
    return Item(service=STORAGE, region=region, family="Storage", **parts)


def _disks(region: str, factor: Decimal) -> Iterator[Item]:
    for letter, per_gib in _DISKS.items():
        for tier, gib in zip(_TIERS, _GIB, strict=True):
            if letter == "S" and gib < 32:
                continue
            for redundancy, times in (("LRS", "1"), ("ZRS", "1.5")):
                sku = f"{letter}{tier} {redundancy}"
                row = _storage(
                    region,
                    usd=Decimal(per_gib) * gib * factor * Decimal(times),
                    unit="1/Month",
                    meter=f"{sku} Disk",
                    product=_DISK_PRODUCTS[letter],
                    sku=sku,
                )
                yield row
                yield replace(row, usd=row.usd / 10, meter=f"{sku} Disk Mount")


def _ultra(region: str, factor: Decimal) -> Iterator[Item]:
    for meter, unit, usd in (
        ("Provisioned Capacity", "1 GiB/Hour", "0.000164"),
        ("Provisioned IOPS", "1/Hour", "0.000068"),
        ("Provisioned Throughput (MBps)", "1/Hour", "0.000479"),
        ("Reservation per vCPU Provisioned", "1/Hour", "0.006"),
    ):
        yield _storage(
            region,
            usd=Decimal(usd) * factor,
            unit=unit,
            meter=f"Ultra LRS {meter}",
            product="Ultra Disks",
            sku="Ultra LRS",
        )


def _blobs(region: str, factor: Decimal) -> Iterator[Item]:
    for redundancy, usd in _REDUNDANCIES.items():
        sku = f"Hot {redundancy}"
        for product in ("General Block Blob v2", "Blob Storage"):
            row = _storage(
                region,
                usd=Decimal(usd) * factor,
                unit="1 GB/Month",
                meter=f"{sku} Data Stored",
                product=product,
                sku=sku,
            )
            yield row
            yield replace(row, usd=row.usd * Decimal("0.96"), tier_minimum=Decimal(51_200))
            yield replace(row, usd=row.usd * Decimal("0.92"), tier_minimum=Decimal(512_000))
            yield replace(row, usd=Decimal("0.05"), unit="10K", meter=f"{sku} Write Operations")


def _guid(*names: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{'.'.join(names)}.prices.sandbox.invalid"))
