"""States of a tenant and the allowed transitions: one table, and the one question asked of it."""

from enum import StrEnum


class State(StrEnum):
    """Where a tenant stands."""

    ONBOARDING = "Onboarding"
    WAITING_FOR_CONSENT = "WaitingForConsent"
    WAITING_FOR_PERSON = "WaitingForPerson"
    BLOCKED = "Blocked"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    READY = "Ready"
    OFFBOARDING = "Offboarding"
    OFFBOARDED = "Offboarded"


RESTING = frozenset({State.WAITING_FOR_CONSENT, State.WAITING_FOR_PERSON, State.BLOCKED, State.FAILED, State.CANCELLED})
"""States without an open run, from which a run may start."""

WAITING = frozenset({State.WAITING_FOR_CONSENT, State.WAITING_FOR_PERSON})
"""States that wait for a person and end as Failed at their deadline."""

UNDER_WAY = frozenset({State.ONBOARDING, State.OFFBOARDING})
"""States of a run that may write."""

_ENDS = frozenset({State.WAITING_FOR_CONSENT, State.WAITING_FOR_PERSON, State.BLOCKED, State.CANCELLING, State.FAILED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.ONBOARDING: _ENDS | {State.READY},
    State.WAITING_FOR_CONSENT: UNDER_WAY | {State.CANCELLED, State.FAILED},
    State.WAITING_FOR_PERSON: UNDER_WAY | {State.CANCELLED, State.FAILED},
    State.BLOCKED: UNDER_WAY | {State.CANCELLED},
    State.CANCELLING: frozenset({State.CANCELLED, State.FAILED}),
    State.CANCELLED: UNDER_WAY,
    State.FAILED: UNDER_WAY | {State.CANCELLED},
    # A night may find that consent was lost, or that so many would leave that a person must say so.
    State.READY: UNDER_WAY | {State.WAITING_FOR_CONSENT, State.WAITING_FOR_PERSON},
    State.OFFBOARDING: _ENDS | {State.OFFBOARDED},
    State.OFFBOARDED: frozenset({State.ONBOARDING}),
}


def may_become(now: State, then: State) -> bool:
    """Whether a tenant may go from one state to another. Staying is always allowed."""
    return now is then or then in TRANSITIONS[now]
