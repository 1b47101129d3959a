"""The HTTP operations of the audit trail."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.auditing import triggers
from shared.auditing.views import AuditPage
from shared.formats import Guid
from shared.operations import AUDITORS, CURSOR, JSON, Answer, Operation, Parameter

type _Since = Annotated[str, Meta(examples=["2026-03-01", "2026-03-01T09:00:00Z"])]

OPERATIONS = (
    Operation(
        name="get_audit",
        method="GET",
        path="audit",
        told="what was done to which tenant or subscription, when, on whose word; JSON by pages, or `format=csv` at once",
        function=triggers.get_audit,
        who=AUDITORS,
        parameters=(
            Parameter(name="subject", kind=Guid, told="One tenant or subscription; all of them unless given."),
            Parameter(name="from", kind=_Since, told="Only what was done then or later: a date, or a date and time."),
            Parameter(name="format", kind=Literal["json", "csv"], told="json unless given."),
            CURSOR,
        ),
        answers={
            200: Answer(
                told="Entries, the newest first of each subject.",
                content={JSON: (AuditPage,), "text/csv": (str,)},
                headers=("Content-Disposition",),
            )
        },
        problems=(400,),
    ),
)
