"""The way to Entra: a visit is kept, and the browser is sent off."""

from shared.approvals.browsers import Browser
from shared.approvals.session import VISIT_LASTS
from shared.approvals.visits import Pending, Visit, fingerprint
from shared.services import Services

MOST_ROUNDS = 3
"""Visits for one thing: conditional access may want more of a person than they thought, and an answer may get lost."""


async def leave(
    services: Services,
    browser: Browser,
    back: str,
    *,
    pending: Pending | None = None,
    claims: str = "",
    round_: int = 0,
) -> str:
    """The address at Entra. `pending`: a decision, for which a token for Azure is asked. Raises Unavailable."""
    state = services.visits.new_state()
    hint = browser.session.username if browser.session else ""
    begun = await services.entra.begin(state, azure=pending is not None, claims=claims, hint=hint)
    visit = Visit(
        browser=fingerprint(browser.own_secret()),
        flow=begun.flow,
        until=services.clock.now() + VISIT_LASTS,
        back=back,
        pending=pending,
        round=round_,
    )
    await services.visits.begin(state, visit)
    return begun.address


async def leave_again(services: Services, browser: Browser, visit: Visit, claims: str = "") -> str:
    """The same once more, with what was asked for meanwhile; empty where that was tried often enough."""
    if visit.round + 1 >= MOST_ROUNDS:
        return ""
    return await leave(services, browser, visit.back, pending=visit.pending, claims=claims, round_=visit.round + 1)
