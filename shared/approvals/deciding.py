"""A decision at the page: its person came back from Entra with a token, which is spent on it and dropped."""

import logging

from shared.activation.decide import decide
from shared.activation.outcomes import Fate, Outcome, Word
from shared.approvals.entra import Arrived
from shared.approvals.views import Told
from shared.approvals.visits import Pending
from shared.errors import Conflict, NotAllowed, RemoteError, StoreConflict, StoreUnavailable, Throttled, Unavailable
from shared.identifiers import ObjectId
from shared.orchestrations import Orchestrations
from shared.services import Services

_log = logging.getLogger(__name__)

_TOLD = {
    Fate.COUNTED: Told.COUNTED,
    Fate.OVER: Told.OVER,
    Fate.UNKNOWN: Told.OVER,
    Fate.HELD_BACK: Told.HELD_BACK,
    Fate.BUSY: Told.BUSY,
    Fate.UNSEEN: Told.UNCERTAIN,
}


async def decide_as(services: Services, orchestrations: Orchestrations, arrived: Arrived, pending: Pending) -> Told:
    """Decide in the name of who came back, with their token. Raises ClaimsChallenge where Azure wants more of them."""
    caller, word = arrived.who.caller, _word(pending)
    person = services.persons.by(arrived.azure_token)
    try:
        outcome = await decide(services, orchestrations, caller, person, pending.request_id, word)
    except NotAllowed as error:
        _log.info("decision.not_allowed request_id=%s reason=%s", pending.request_id, error)
        return Told.NOT_ALLOWED
    except Conflict:
        return Told.ALREADY
    except (Unavailable, Throttled) as error:
        uncertain = isinstance(error, Unavailable) and error.uncertain
        _log.warning("decision.unanswered request_id=%s reason=%s", pending.request_id, error)
        return Told.UNCERTAIN if uncertain else Told.LATER
    except (StoreConflict, StoreUnavailable) as error:
        # What PIM took may only not be noted yet; the run sees it by itself.
        _log.warning("decision.not_noted request_id=%s reason=%s", pending.request_id, error)
        return Told.UNCERTAIN
    except RemoteError as error:
        _log.error("decision.refused request_id=%s reason=%s", pending.request_id, error)
        return Told.REFUSED
    return _told(outcome, caller.object_id, approve=pending.approve)


def _word(pending: Pending) -> Word:
    return Word(approve=pending.approve, reason=pending.reason, priced_at=pending.priced_at)


def _told(outcome: Outcome, person: ObjectId, *, approve: bool) -> Told:
    decision = outcome.record.decision if outcome.record is not None else None
    # A decision that stands already as theirs is theirs: they came twice, or an answer of ours was lost.
    theirs = decision is not None and decision.by == person and decision.approved is approve
    if outcome.fate is Fate.DONE or (outcome.fate is Fate.DECIDED_BEFORE and theirs):
        return Told.APPROVED if approve else Told.DENIED
    return _TOLD.get(outcome.fate, Told.ALREADY)
