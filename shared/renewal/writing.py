"""What one renewal of a tenant has written, told from its intents: they outlive a call that was killed. Pure."""

from collections.abc import Iterable
from datetime import datetime

from shared.eligibility.decide import RENEWAL, Action
from shared.eligibility.record import eligibility_key
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER
from shared.renewal.report import Line, Outcome
from shared.subjects import Intent, IntentState
from shared.tenants.record import Tenant

_DONE, _REFUSED = "done", "refused: "
_TOLD = "PIM refused it. Look at the target's PIM settings for the role, and at the audit trail."


def written(tenant: Tenant, run: int) -> list[Line]:
    """What was written or refused in this run of the tenant, for the report."""
    return [_line(tenant, intent) for intent in _of(tenant, run)]


def refused_in(tenant: Tenant, run: int) -> dict[ObjectId, str]:
    """Whose renewal PIM refused in this run, and by which code: not asked for again before the next."""
    return {
        ObjectId(one.arguments["principal"]): one.outcome.removeprefix(_REFUSED)
        for one in _of(tenant, run)
        if one.outcome != _DONE
    }


def _of(tenant: Tenant, run: int) -> Iterable[Intent]:
    """Those that came to an end. One that was not sent, or sent and never seen, is sent again."""
    return (
        one
        for one in tenant.intents.values()
        if (one.kind, one.run) == (RENEWAL, run)
        and one.state is not IntentState.OPEN
        and (one.outcome == _DONE or one.outcome.startswith(_REFUSED))
    )


def _line(tenant: Tenant, intent: Intent) -> Line:
    principal = ObjectId(intent.arguments["principal"])
    row = tenant.eligibilities.get(eligibility_key(principal, SECURITY_READER))
    done, renewed = intent.outcome == _DONE, intent.arguments["action"] == Action.RENEW
    outcome = Outcome.RENEWED if renewed else Outcome.EXTENDED
    was = intent.arguments["was"]
    return Line(
        principal_id=principal,
        analyst_id=row.analyst_id if row else None,
        outcome=outcome if done else Outcome.REFUSED,
        why="" if done else intent.outcome.removeprefix(_REFUSED),
        told="" if done else _TOLD,
        was=datetime.fromisoformat(was) if was else None,
        end=datetime.fromisoformat(intent.arguments["end"]) if done else None,
    )
