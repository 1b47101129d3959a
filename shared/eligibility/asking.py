"""One request for a renewal, by whichever of PIM's ways it takes."""

from collections.abc import Awaitable, Callable

from shared.eligibility.decide import Action, instead
from shared.errors import Rejected

_IN_THE_PAST = "InvalidRoleAssignmentRequestSchedule"


async def asked(action: Action, ask: Callable[[Action, bool], Awaitable[str]]) -> str:
    """Ask for an act; where PIM refuses it for what it is, for the other one. Gives what `ask` gives.

    `ask` gets the act, and whether it begins just now: what is in force must not begin later, so it is asked for from the
    run's date on at first, and whether PIM takes a start in the past is unconfirmed. Raises the last refusal.
    """
    tried, just_now = {action}, False
    while True:
        try:
            return await ask(action, just_now)
        except Rejected as error:
            if error.call.code == _IN_THE_PAST and not just_now:
                just_now = True
                continue
            other = instead(action, error.call.code)
            if other is None or other in tried:
                raise
            tried.add(other)
            action = other
