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

TRANSITIONS: dict[State, frozenset[State]] = {
    State.ONBOARDING: frozenset(
        {
            State.WAITING_FOR_CONSENT,
            State.WAITING_FOR_PERSON,
            State.BLOCKED,
            State.CANCELLING,
            State.FAILED,
            State.READY,
        }
    ),
    State.WAITING_FOR_CONSENT: frozenset({State.ONBOARDING, State.CANCELLED, State.FAILED}),
    State.WAITING_FOR_PERSON: frozenset({State.ONBOARDING, State.CANCELLED, State.FAILED}),
    State.BLOCKED: frozenset({State.ONBOARDING, State.CANCELLED}),
    State.CANCELLING: frozenset({State.CANCELLED, State.FAILED}),
    State.CANCELLED: frozenset({State.ONBOARDING, State.OFFBOARDING}),
    State.FAILED: frozenset({State.ONBOARDING, State.CANCELLED, State.OFFBOARDING}),
    State.READY: frozenset({State.ONBOARDING, State.OFFBOARDING}),
    State.OFFBOARDING: frozenset({State.OFFBOARDED, State.WAITING_FOR_CONSENT, State.WAITING_FOR_PERSON, State.FAILED}),
    State.OFFBOARDED: frozenset({State.ONBOARDING}),
}


def may_become(now: State, then: State) -> bool:
    """Whether a tenant may go from one state to another. Staying is always allowed."""
    return now is then or then in TRANSITIONS[now]
