"""Act 24: whose account in the target is gone, and whether waiting for the others is worth it. Pure.

Losing scope, an account is soft-deleted by a cycle of the synchronization (every 40 minutes), if its job runs.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from shared.graph.sync_shapes import Job
from shared.tenants.record import Analyst

_FIRST_LOOKS = timedelta(minutes=5)
_LAST_LOOKS = timedelta(minutes=30)
_PART = 8
"""Each look comes later than the last one by this part of the time waited: a day's wait has some sixty looks."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A leaver's account as it was looked at. `asked`: the synchronization was ever asked to make one. `there` None: it
    could not be looked at, or nobody ever told its id.
    """

    analyst: Analyst
    asked: bool
    there: bool | None


def are_gone(accounts: Sequence[Account], *, cycled: bool) -> list[Account]:
    """Those of whom nothing of ours is left. `cycled`: a cycle has passed since they left scope, and ended well."""
    return [one for one in accounts if _is_gone(one, cycled=cycled)]


def _is_gone(account: Account, *, cycled: bool) -> bool:
    analyst = account.analyst
    if analyst.earlier_account:
        return True
    if account.there:
        return False
    if analyst.target_object_id is None:
        return cycled or not account.asked
    # What was never seen may only be slow to show; what could not be looked at may still be there.
    return account.there is False and (cycled or analyst.provisioned is not None)


def has_cycled(job: Job | None, unassigned: datetime) -> bool:
    """Whether a cycle that began after the analysts left scope ended well."""
    return job is not None and job.last_cycle_began is not None and job.last_cycle_began > unassigned


def stands_still(job: Job | None) -> str:
    """Why the synchronization deletes nobody's account; empty while it runs."""
    if job is None:
        return "the synchronization job is gone"
    if job.quarantine is not None:
        return f"the synchronization job is in quarantine: {job.quarantine}"
    if not job.started:
        return "the synchronization job does not run"
    return ""


def next_look(waited: timedelta) -> timedelta:
    """How long until the next look."""
    return min(_LAST_LOOKS, max(_FIRST_LOOKS, waited / _PART))
