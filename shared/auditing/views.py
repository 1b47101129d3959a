"""Audit entries as an auditor gets them: JSON, and CSV for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared.chain import Entry, Unreadable

type Json = dict[str, object]

COLUMNS = (
    "subject",
    "sequence",
    "at",
    "registration",
    "onWhoseWord",
    "tenantId",
    "act",
    "run",
    "what",
    "why",
    "object",
    "wanted",
    "before",
    "outcome",
    "requestId",
    "previous",
    "hash",
    "unreadable",
)


def entry(found: Entry | Unreadable) -> Json:
    """One entry; of a damaged row no more than where it is."""
    if isinstance(found, Unreadable):
        return {"subject": found.subject, "unreadable": found.key}
    deed = found.deed
    return {
        "subject": found.subject,
        "sequence": found.sequence,
        "at": deed.at,
        "registration": deed.registration,
        "onWhoseWord": deed.on_whose_word,
        "tenantId": deed.tenant_id,
        "act": deed.act,
        "run": deed.run,
        "what": deed.what,
        "why": deed.why,
        "object": deed.object_name,
        "wanted": deed.wanted,
        "before": deed.before,
        "outcome": deed.outcome,
        "requestId": deed.request_id,
        "previous": found.previous,
        "hash": found.hash,
    }


def is_since(found: Entry | Unreadable, moment: datetime) -> bool:
    """Whether an entry is of that moment or later. A damaged row always is."""
    return isinstance(found, Unreadable) or found.deed.at >= moment


def table(entries: Iterable[Entry | Unreadable]) -> str:
    """RFC 4180, with a header. What a spreadsheet would take for a formula is kept from being one."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for found in entries:
        told = entry(found)
        writer.writerow([_cell(told.get(name, "")) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, msgspec.Raw):
        told = bytes(value).decode()
    elif isinstance(value, str):
        told = value
    else:
        told = msgspec.json.encode(value).decode().strip('"')
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
