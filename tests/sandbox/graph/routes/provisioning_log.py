"""The provisioning log of the source (section 3.7). Entries arrive late, and it may be asked 5 times in 10 s."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call, collection
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.quota import REPORTS
from tests.sandbox.graph.router import Route

_FOUND = EQUAL | {"contains"}
_FILTER = {
    "jobId": _FOUND,
    "servicePrincipal/id": _FOUND,
    "servicePrincipal/displayName": _FOUND,
    "sourceIdentity/id": _FOUND,
    "targetIdentity/id": _FOUND,
    "activityDateTime": EQUAL | {"gt", "lt"},
}


def _list(call: Call) -> Answer:
    call.estate.quotas.take(REPORTS, call.tenant.id, call.app_id)
    filters_job = any(condition.path == "jobId" for condition in call.query.conditions)
    if filters_job and call.estate.ground.switches.is_flipped("provisioning-log-filter-jobid-refused"):
        raise GraphError(400, "BadRequest", "Invalid filter clause: jobId cannot be filtered on.")
    entries = [entry.wire() for entry in call.estate.provisioning.logged(call.tenant)]
    if not call.query.descending:
        entries.reverse()
    return collection(call, "auditLogs/provisioning", entries)


ROUTES = (
    Route(
        call="GET /auditLogs/provisioning",
        handler=_list,
        options=Options(filter=_FILTER, order=frozenset({"activityDateTime"}), top=500, exact=True),
        service="reports",
    ),
)
