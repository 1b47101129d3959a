"""Defender XDR of one tenant, as advanced hunting shows it: devices, their antivirus scans, alerts (section 8.1).

Tables and columns are those of Microsoft's schema reference, as far as anybody here asks for them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.sandbox.graph.kql import Row
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.wire import moment

COLUMNS: Mapping[str, Sequence[str]] = {
    "DeviceInfo": ("Timestamp", "DeviceId", "DeviceName", "OSPlatform", "OnboardingStatus", "SensorHealthState"),
    "AlertInfo": (
        "Timestamp",
        "AlertId",
        "Title",
        "Category",
        "Severity",
        "ServiceSource",
        "DetectionSource",
        "AttackTechniques",
    ),
    "DeviceTvmInfoGathering": (
        "Timestamp",
        "LastSeenTime",
        "DeviceId",
        "DeviceName",
        "OSPlatform",
        "AdditionalFields",
    ),
}

QUOTA_WINDOW = timedelta(minutes=15)
_DAY = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Device:
    """A device that reports. `platform_before`: what it was until yesterday. `scans`: kind -> status and time."""

    id: str
    name: str
    platform: str
    seen: datetime
    platform_before: str = ""
    scans: dict[str, tuple[str, datetime]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Alert:
    """An alert, with the techniques as the portal writes them."""

    id: str
    at: datetime
    title: str
    techniques: list[str] = field(default_factory=list)


class Defender:
    """What hunting finds. Without a licence there is nothing to hunt in."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.licensed = False
        self.devices: list[Device] = []
        self.alerts: list[Alert] = []
        self.blocked_until: datetime | None = None

    def add_device(self, name: str, platform: str, *, days_ago: float = 0.0, was: str = "", **scans: float) -> Device:
        """A device seen so long ago; `Quick=3` is a quick scan that was completed three days ago."""
        now = self._ground.now()
        device = Device(
            id=self._ground.new_id().replace("-", ""),
            name=name,
            platform=platform,
            seen=now - timedelta(days=days_ago),
            platform_before=was,
            scans={kind: ("Completed", now - timedelta(days=days)) for kind, days in scans.items()},
        )
        self.devices.append(device)
        return device

    def add_alert(self, title: str, *techniques: str, days_ago: float = 1.0) -> Alert:
        """An alert of so many days ago."""
        at = self._ground.now() - timedelta(days=days_ago)
        alert = Alert(id=f"da{self._ground.new_id()}", at=at, title=title, techniques=list(techniques))
        self.alerts.append(alert)
        return alert

    def spend_quota(self) -> None:
        """Somebody's queries used up the tenant's CPU: blocked to the end of the 15-minute window."""
        now = self._ground.now()
        self.blocked_until = now + QUOTA_WINDOW - timedelta(seconds=now.timestamp() % QUOTA_WINDOW.total_seconds())

    def tables(self) -> dict[str, list[Row]]:
        """Every table with its rows by now. Alerts have one row for each product that saw them."""
        return {
            "DeviceInfo": [row for device in self.devices for row in _heartbeats(device)],
            "AlertInfo": [row for alert in self.alerts for row in _sources(alert)],
            "DeviceTvmInfoGathering": [row for device in self.devices for row in _snapshots(device)],
        }


def _heartbeats(device: Device) -> list[Row]:
    row: Row = {
        "Timestamp": device.seen,
        "DeviceId": device.id,
        "DeviceName": device.name,
        "OSPlatform": device.platform,
        "OnboardingStatus": "Onboarded",
        "SensorHealthState": "Active",
    }
    before = {**row, "Timestamp": device.seen - _DAY, "OSPlatform": device.platform_before or device.platform}
    return [row, before]


def _sources(alert: Alert) -> list[Row]:
    row: Row = {
        "Timestamp": alert.at,
        "AlertId": alert.id,
        "Title": alert.title,
        "Category": "InitialAccess",
        "Severity": "Medium",
        "ServiceSource": "Microsoft Defender for Endpoint",
        "DetectionSource": "EDR",
        "AttackTechniques": json.dumps(alert.techniques) if alert.techniques else "",
    }
    return [row, {**row, "ServiceSource": "Microsoft Defender XDR", "DetectionSource": "Microsoft Defender XDR"}]


def _snapshots(device: Device) -> list[Row]:
    """Today's, and one of the day before, when nothing had been scanned yet."""
    results = {
        kind: {"ScanStatus": status, "ErrorCode": "0x00000000", "Timestamp": moment(at)}
        for kind, (status, at) in device.scans.items()
    }
    row: Row = {
        "Timestamp": device.seen,
        "LastSeenTime": device.seen,
        "DeviceId": device.id,
        "DeviceName": device.name,
        "OSPlatform": device.platform,
        "AdditionalFields": {"AvMode": "0", "AvScanResults": json.dumps(results) if results else None},
    }
    before: Row = {"AvMode": "0", "AvScanResults": None}
    return [{**row, "Timestamp": device.seen - _DAY, "AdditionalFields": before}, row]
