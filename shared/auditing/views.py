"""Audit entries as an auditor gets them: JSON, and CSV for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable

import msgspec

from shared.chain import Entry

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
)


def entry(found: Entry) -> Json:
    """One entry."""
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


def table(entries: Iterable[Entry]) -> str:
    """RFC 4180, with a header. What a spreadsheet would take for a formula is kept from being one."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for found in entries:
        writer.writerow([_cell(value) for value in entry(found).values()])
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, msgspec.Raw):
        told = bytes(value).decode()
    elif isinstance(value, str):
        told = value
    else:
        told = msgspec.json.encode(value).decode().strip('"')
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
