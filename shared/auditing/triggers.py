"""The HTTP side of the audit trail. Reads only."""

from datetime import UTC, datetime

import azure.functions as func

from shared.auditing import views
from shared.callers import AppRole
from shared.chain import Entry, Unreadable
from shared.errors import BadRequest
from shared.identifiers import as_guid
from shared.orchestrations import Orchestrations
from shared.problems import answer, cursor_of, page_token
from shared.services import Services

_PAGE = 200
_MOST_ROWS = 20_000
"""Rows of one CSV: more do not fit into what one request may hold."""


async def get_audit(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/audit?subject=&from=&format=&cursor=: what was done, the newest first of each subject.

    JSON by pages; `format=csv` in one piece. App role Audit.Read.
    """
    caller = await services.callers.identify(request.headers)
    caller.allow(AppRole.AUDIT)
    subject, since = _subject(request), _since(request)
    match request.params.get("format", "json"):
        case "json":
            return await _page(services, request, subject, since)
        case "csv":
            return await _csv(services, subject, since)
        case _:
            raise BadRequest("format", "is neither json nor csv")


async def _page(services: Services, request: func.HttpRequest, subject: str, since: datetime) -> func.HttpResponse:
    entries, following = await services.audit.page(subject, size=_PAGE, token=page_token(request))
    shown = tuple(views.entry(one) for one in entries if views.is_since(one, since))
    return answer(200, views.AuditPage(value=shown, cursor=cursor_of(following)))


async def _csv(services: Services, subject: str, since: datetime) -> func.HttpResponse:
    found: list[Entry | Unreadable] = []
    token = None
    while True:
        entries, token = await services.audit.page(subject, size=1000, token=token)
        found += [one for one in entries if views.is_since(one, since)]
        if len(found) > _MOST_ROWS:
            raise BadRequest("from", f"leaves more than {_MOST_ROWS} entries: name a subject, or a later time")
        # To the end: an entry that was stored late stands behind younger ones.
        if token is None:
            break
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": 'attachment; filename="audit.csv"',
    }
    return func.HttpResponse(body=views.table(found), status_code=200, headers=headers, mimetype="text/csv")


def _subject(request: func.HttpRequest) -> str:
    named = request.params.get("subject")
    if named is None:
        return ""
    guid = as_guid(named)
    if guid is None:
        raise BadRequest("subject", "is not a GUID")
    return guid


def _since(request: func.HttpRequest) -> datetime:
    named = request.params.get("from")
    if named is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        since = datetime.fromisoformat(named)
    except ValueError as error:
        raise BadRequest("from", "is no date such as 2026-03-01 or 2026-03-01T09:00:00Z") from error
    return since if since.tzinfo is not None else since.replace(tzinfo=UTC)
