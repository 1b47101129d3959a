"""Audit entries as an auditor gets them: JSON, and CSV for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.chain import Entry, Unreadable
from shared.formats import Guid, Moment


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done to which tenant, when, on whose word, why, and how it ended.

    Of a damaged row no more than `subject` and `unreadable`.
    """

    subject: Annotated[str, Meta(description="Whose chain: a tenant's id.")]
    sequence: int | UnsetType = UNSET
    at: Moment | UnsetType = UNSET
    registration: Annotated[str | UnsetType, Meta(description="As which of our registrations.")] = UNSET
    on_whose_word: Annotated[str | UnsetType, Meta(description="The object id of who asked for it.")] = UNSET
    tenant_id: Annotated[Guid | UnsetType, Meta(description="Where: the target, or the source tenant.")] = UNSET
    act: int | UnsetType = UNSET
    run: int | UnsetType = UNSET
    what: str | UnsetType = UNSET
    why: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    wanted: Annotated[msgspec.Raw | UnsetType, Meta(description="What was to be, as JSON.")] = UNSET
    before: Annotated[msgspec.Raw | UnsetType, Meta(description="What was there, as JSON.")] = UNSET
    outcome: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    previous: Annotated[str | UnsetType, Meta(description="The hash of the entry before.")] = UNSET
    hash: Annotated[str | UnsetType, Meta(description="SHA-256 of this entry.")] = UNSET
    unreadable: Annotated[str | UnsetType, Meta(description="The row that holds no entry of its place.")] = UNSET


class AuditPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of audit entries. It may be empty and yet have a next one."""

    value: tuple[AuditEntry, ...]
    cursor: Annotated[str | UnsetType, Meta(description="Asks for the next page, where there is one.")] = UNSET


_COLUMNS = msgspec.structs.fields(AuditEntry)


def entry(found: Entry | Unreadable) -> AuditEntry:
    """One entry; of a damaged row no more than where it is."""
    if isinstance(found, Unreadable):
        return AuditEntry(subject=found.subject, unreadable=found.key)
    deed = found.deed
    return AuditEntry(
        subject=found.subject,
        sequence=found.sequence,
        at=deed.at,
        registration=deed.registration,
        on_whose_word=deed.on_whose_word,
        tenant_id=deed.tenant_id,
        act=deed.act,
        run=deed.run,
        what=deed.what,
        why=deed.why,
        object=deed.object_name,
        wanted=deed.wanted,
        before=deed.before,
        outcome=deed.outcome,
        request_id=deed.request_id,
        previous=found.previous,
        hash=found.hash,
    )


def is_since(found: Entry | Unreadable, moment: datetime) -> bool:
    """Whether an entry is of that moment or later. A damaged row always is."""
    return isinstance(found, Unreadable) or found.deed.at >= moment


def table(entries: Iterable[Entry | Unreadable]) -> str:
    """RFC 4180, with a header. What a spreadsheet would take for a formula is kept from being one."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(column.encode_name for column in _COLUMNS)
    for found in entries:
        told = entry(found)
        writer.writerow(_cell(getattr(told, column.name)) for column in _COLUMNS)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is UNSET:
        return ""
    if isinstance(value, msgspec.Raw):
        told = bytes(value).decode()
    elif isinstance(value, str):
        told = value
    else:
        told = msgspec.json.encode(value).decode().strip('"')
    return f"'{told}" if told.startswith(("=", "+", "-", "@", "\t", "\r")) else told
