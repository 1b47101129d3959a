"""One request for a renewal, by whichever of PIM's ways it takes."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from shared.eligibility.decide import Action, instead
from shared.errors import Rejected

_IN_THE_PAST = "InvalidRoleAssignmentRequestSchedule"
_ANEW = (Action.RENEW, Action.ASSIGN)


async def asked(
    action: Action, since: datetime, now: datetime, ask: Callable[[Action, datetime], Awaitable[str]]
) -> str:
    """Ask for an act, and a start; where PIM refuses it for what it is, for the other one. Gives what `ask` gives.

    What is in force must not begin later, not by a second of two clocks that differ, so its start is `since`, the run's
    date, at first: whether PIM takes a start in the past is unconfirmed. Raises the last refusal.
    """
    tried, just_now = {action}, action in _ANEW
    while True:
        try:
            return await ask(action, now.replace(microsecond=0) if just_now else since)
        except Rejected as error:
            if error.call.code == _IN_THE_PAST and not just_now:
                just_now = True
                continue
            other = instead(action, error.call.code)
            if other is None or other in tried:
                raise
            tried.add(other)
            action = other
