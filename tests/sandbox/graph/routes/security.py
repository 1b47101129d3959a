"""Advanced hunting (section 8.1): a query runs over the tenant's own rows, within its quotas."""

from datetime import datetime, timedelta

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.graph.kql import Result, Row, UnresolvedError, UnsupportedError, evaluate
from tests.sandbox.graph.models.defender import COLUMNS
from tests.sandbox.graph.quota import HUNTING
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Wire, a_text, an_object, nullable, parse_duration

_QUERY = an_object({"query": a_text, "timespan": nullable(a_text)}, required=("query",))
_LONGEST = timedelta(days=30)


def _hunt(call: Call) -> Answer:
    call.estate.quotas.take(HUNTING, call.tenant.id, call.app_id)
    _within_cpu(call)
    try:
        result = evaluate(call.body.text("query"), _tables(call), COLUMNS, call.estate.ground.now())
    except UnresolvedError as error:
        raise _unresolved(str(error)) from error
    except UnsupportedError as error:
        text = f"The sandbox does not evaluate this query: {error}."
        raise GraphError(400, "BadRequest", text, violation=True) from error
    context = call.context("microsoft.graph.security.huntingQueryResults")
    return Answer(body={"@odata.context": context, "schema": _schema(result), "results": _results(result)})


def _within_cpu(call: Call) -> None:
    """Blocked queries are refused to the end of the window. Whether the wait is told is an open question."""
    now, until = call.estate.ground.now(), call.tenant.defender.blocked_until
    if until is None or now >= until:
        return
    told = call.estate.ground.switches.is_flipped("hunting-quota-tells-wait")
    wait = max(1, int((until - now).total_seconds()) + 1)
    raise throttled(
        wait if told else None, message="CPU resource quota exceeded! Queries run again after the next cycle."
    )


def _tables(call: Call) -> dict[str, list[Row]]:
    """What there is to hunt in. How a tenant without Defender, or without devices, answers is an open question."""
    defender, switches = call.tenant.defender, call.estate.ground.switches
    if not defender.licensed:
        if switches.is_flipped("hunting-without-defender"):
            raise GraphError(403, "Forbidden", "The tenant has no access to advanced hunting.")
        return {}
    if not defender.devices and switches.is_flipped("hunting-without-devices"):
        return {}
    since = call.estate.ground.now() - _timespan(call)
    return {
        name: [row for row in rows if isinstance(at := row["Timestamp"], datetime) and at >= since]
        for name, rows in defender.tables().items()
    }


def _timespan(call: Call) -> timedelta:
    given = call.body.text_or_none("timespan")
    return min(_LONGEST, parse_duration(given, "timespan") if given else _LONGEST)


def _unresolved(name: str) -> GraphError:
    text = f"'where' operator: Failed to resolve table or column expression named '{name}'."
    return GraphError(400, "BadRequest", f"{text} Fix semantic errors in your query.")


def _schema(result: Result) -> list[Wire]:
    kinds = {int: "Int64", str: "String", datetime: "DateTime"}
    found: list[Wire] = []
    for number, name in enumerate(result.columns):
        known = next((row[number] for row in result.rows if row[number] is not None), "")
        found.append({"name": name, "type": kinds[type(known)]})
    return found


def _results(result: Result) -> list[Wire]:
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


ROUTES = (
    Route(
        call="POST /security/microsoft.graph.security.runHuntingQuery",
        handler=_hunt,
        body=_QUERY,
        service="security",
    ),
)
