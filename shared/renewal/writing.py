"""What one renewal of a subject has written, told from its intents: they outlive a call that was killed. Pure."""

from collections.abc import Iterable
from datetime import datetime

from shared.eligibility.decide import RENEWAL, Action
from shared.eligibility.record import eligibility_key
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER
from shared.renewal.kinds import Renewable
from shared.renewal.report import Line, Outcome
from shared.subjects import Intent, IntentState

_DONE, _REFUSED = "done", "refused: "
_TOLD = "PIM refused it. Look at the PIM settings for the role there, and at the audit trail."


def written(subject: Renewable, run: int) -> list[Line]:
    """What was written or refused in this run of the subject, for the report."""
    return [_line(subject, intent) for intent in _of(subject, run)]


def refused_in(subject: Renewable, run: int) -> dict[str, str]:
    """Which renewals PIM refused in this run, by the eligibility's key, and by which code: not asked for again before the
    next.
    """
    return {
        eligibility_key(one.arguments["principal"], _role(one)): one.outcome.removeprefix(_REFUSED)
        for one in _of(subject, run)
        if one.outcome != _DONE
    }


def _of(subject: Renewable, run: int) -> Iterable[Intent]:
    """Those that came to an end. One that was not sent, or sent and never seen, is sent again."""
    return (
        one
        for one in subject.intents.values()
        if (one.kind, one.run) == (RENEWAL, run)
        and one.state is not IntentState.OPEN
        and (one.outcome == _DONE or one.outcome.startswith(_REFUSED))
    )


def _role(intent: Intent) -> str:
    return intent.arguments.get("role", SECURITY_READER)


def _line(subject: Renewable, intent: Intent) -> Line:
    principal, role = ObjectId(intent.arguments["principal"]), _role(intent)
    row = subject.eligibilities.get(eligibility_key(principal, role))
    done, renewed = intent.outcome == _DONE, intent.arguments["action"] == Action.RENEW
    outcome = Outcome.RENEWED if renewed else Outcome.EXTENDED
    was = intent.arguments["was"]
    return Line(
        principal_id=principal,
        role_definition_id=role,
        analyst_id=row.analyst_id if row else None,
        outcome=outcome if done else Outcome.REFUSED,
        why="" if done else intent.outcome.removeprefix(_REFUSED),
        told="" if done else _TOLD,
        was=datetime.fromisoformat(was) if was else None,
        end=datetime.fromisoformat(intent.arguments["end"]) if done else None,
    )
