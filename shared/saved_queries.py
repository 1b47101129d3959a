"""Saved hunting queries (KQL): what each is called, what it tells, its text and its columns. Pure data.

Tables and columns are those of Microsoft's advanced hunting schema (defender-docs, advanced-hunting-deviceinfo-table,
-alertinfo-table, -devicetvminfogathering-table). What AvScanResults holds is not on those pages: JSON text with Quick, Full
and Custom, each with ScanStatus and Timestamp, as public queries read it. Each looks at a bounded time and gives at most
`MOST_ROWS` rows.
"""

import msgspec

MOST_ROWS = 50


class SavedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One query. `timespan` (ISO 8601) is the time that the service looks at, as the text does too."""

    name: str
    tells: str
    text: str
    timespan: str
    columns: tuple[str, ...]


DEVICES_BY_PLATFORM = SavedQuery(
    name="devicesByPlatform",
    tells="devices seen in the last 7 days, by platform",
    text=f"""DeviceInfo
| where Timestamp > ago(7d) and isnotempty(OSPlatform)
| summarize arg_max(Timestamp, OSPlatform) by DeviceId
| summarize Devices = count() by OSPlatform
| top {MOST_ROWS} by Devices desc""",
    timespan="P7D",
    columns=("OSPlatform", "Devices"),
)

ALERTS_BY_TECHNIQUE = SavedQuery(
    name="alertsByTechnique",
    tells="alerts of the last 30 days, by MITRE ATT&CK technique",
    text=f"""AlertInfo
| where Timestamp > ago(30d) and isnotempty(AttackTechniques)
| mv-expand Technique = parse_json(AttackTechniques) to typeof(string)
| summarize Alerts = dcount(AlertId) by Technique
| top {MOST_ROWS} by Alerts desc""",
    timespan="P30D",
    columns=("Technique", "Alerts"),
)

DEVICES_BY_LAST_SCAN = SavedQuery(
    name="devicesByDaysSinceScan",
    tells="devices by days since the last completed antivirus scan; no number: none is known",
    text=f"""DeviceTvmInfoGathering
| where Timestamp > ago(7d)
| summarize arg_max(Timestamp, AdditionalFields) by DeviceId
| extend Scans = parse_json(tostring(AdditionalFields.AvScanResults))
| extend Quick = iff(Scans.Quick.ScanStatus == "Completed", todatetime(Scans.Quick.Timestamp), datetime(null))
| extend Full = iff(Scans.Full.ScanStatus == "Completed", todatetime(Scans.Full.Timestamp), datetime(null))
| extend Custom = iff(Scans.Custom.ScanStatus == "Completed", todatetime(Scans.Custom.Timestamp), datetime(null))
| extend DaysSinceScan = datetime_diff("day", now(), max_of(Quick, Full, Custom))
| summarize Devices = count() by DaysSinceScan
| top {MOST_ROWS} by DaysSinceScan desc nulls first""",
    timespan="P7D",
    columns=("DaysSinceScan", "Devices"),
)

PROOF = (DEVICES_BY_PLATFORM, ALERTS_BY_TECHNIQUE, DEVICES_BY_LAST_SCAN)
"""What act 11 asks, in this order."""
