"""What the pages show, read: the rows of requests, whether the person may see and decide them, and what people are called."""

import logging
from collections.abc import Iterable
from datetime import datetime

from shared.activation.brokered import is_waiting, lacks
from shared.activation.outcomes import why_not_at_pim
from shared.activation.record import Request, RequestId, State
from shared.activation.rulings import Judgement
from shared.activation.weighing import judged
from shared.approvals.shown import Names, people_of, shown, waiting
from shared.approvals.views import Shown, Waiting, length
from shared.arm.activation_shapes import Standing
from shared.errors import NotConsented, RemoteError
from shared.identifiers import ObjectId, SubscriptionId
from shared.services import Services
from shared.subscriptions.lockdown import LockDown, Principals
from shared.subscriptions.membership import is_in

_log = logging.getLogger(__name__)

_AT_ONCE = 100
"""Requests on a page: more are no list that a person reads."""


class Reader:
    """Reads for one person, and one request of their browser: what was asked once is not asked again."""

    def __init__(self, services: Services, person_id: ObjectId) -> None:
        self._services = services
        self._me = person_id
        self._lock_downs: dict[SubscriptionId, LockDown | None] = {}
        self._groups: dict[ObjectId, bool] = {}

    async def waiting(self) -> tuple[list[Waiting], int]:
        """What waits for the person's decision, the oldest first, and how much more there is. Nobody decides on their own
        request.
        """
        found = [one for one in await self._services.activations.open_of() if self._waits(one)]
        mine = [one for one in found if await self._is_approver(one.subscription_id)]
        first = mine[:_AT_ONCE]
        names = await self._names({one.asked.principal_id for one in first if not one.asked.principal_name})
        return [waiting(one, names) for one in first], len(mine) - len(first)

    async def shown(self, request_id: RequestId) -> Shown | None:
        """A request, for its subscription's approvers, finance and seniors; None for others, and where there is none."""
        found = await self._services.activations.read(request_id)
        if found is None or not await self._may_see(found.record):
            return None
        record = found.record
        lock_down = await self._lock_down(record.subscription_id)
        judgement = judged(record, lock_down) if lock_down is not None else None
        month = self._services.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return shown(
            record,
            judgement,
            await self._earlier(record, month),
            await self._names(people_of(record)),
            hindrance=await self._hindrance(record),
            # For the broker the word counts, and waits for what is missing.
            held_back="" if record.brokered else await self._held_back(judgement, lock_down),
            missing=self._missing(record, judgement, lock_down),
        )

    def _waits(self, record: Request) -> bool:
        asked = record.asked
        pending = record.state is State.PENDING and asked.standing is Standing.WAITING and record.decision is None
        own = self._me in (asked.principal_id, asked.requestor_id)
        return pending and not own and self._services.clock.now() < record.expires

    async def _earlier(self, record: Request, since: datetime) -> list[Request]:
        return await self._services.activations.of_person(record.asked.principal_id, since)

    async def _may_see(self, record: Request) -> bool:
        lock_down = await self._lock_down(record.subscription_id)
        if lock_down is None:
            return False
        if await self._is_approver(record.subscription_id) or self._me in lock_down.money.finance:
            return True
        senior = lock_down.money.senior
        return bool(senior) and await self._is_one_of(senior)

    async def _hindrance(self, record: Request) -> str:
        """Why the person may not decide, in words."""
        if self._me in (record.asked.principal_id, record.asked.requestor_id):
            return "This is your own request: another approver decides it."
        if not await self._is_approver(record.subscription_id):
            return "You may see this request. It is decided by the approvers of the subscription."
        if self._services.clock.now() >= record.expires:
            waited = length(int((record.expires - record.asked.created).total_seconds() // 60))
            return f"Its time of {waited} is over: whoever needs the role asks again."
        return ""

    async def _held_back(self, judgement: Judgement | None, lock_down: LockDown | None) -> str:
        """Why the person may not approve (yet), in words."""
        if judgement is None or lock_down is None:
            return ""
        if why := why_not_at_pim(judgement, lock_down.quorum):
            return why
        senior = lock_down.money.senior
        if judgement.senior_only is not None and senior and not await self._is_one_of(senior):
            return judgement.senior_only.reason
        return ""

    def _missing(self, record: Request, judgement: Judgement | None, lock_down: LockDown | None) -> str:
        """What the broker still waits for, in words."""
        if judgement is None or lock_down is None or not is_waiting(record):
            return ""
        return lacks(record, lock_down, judgement, self._services.settings.webhook_ceiling)

    async def _is_approver(self, subscription_id: SubscriptionId) -> bool:
        lock_down = await self._lock_down(subscription_id)
        return lock_down is not None and await self._is_one_of(lock_down.approvers)

    async def _is_one_of(self, named: Principals) -> bool:
        """As entitlement.py, which asks anew when somebody decides; the same groups approve on many subscriptions."""
        if self._me in named.users:
            return True
        for group in named.groups:
            if group not in self._groups:
                self._groups[group] = await is_in(self._services, self._me, group)
            if self._groups[group]:
                return True
        return False

    async def _lock_down(self, subscription_id: SubscriptionId) -> LockDown | None:
        if subscription_id not in self._lock_downs:
            found = await self._services.subscriptions.read(subscription_id)
            self._lock_downs[subscription_id] = None if found is None else found.record.lock_down
        return self._lock_downs[subscription_id]

    async def _names(self, people: Iterable[ObjectId]) -> Names:
        """What people are called. A directory that does not answer keeps no page back: ids are shown then."""
        wanted = sorted(people)
        if not wanted:
            return {}
        try:
            found = await self._services.directory.source_users(wanted)
        except (RemoteError, NotConsented) as error:
            _log.info("names.unread reason=%s", error)
            return {}
        return {one.id: one.display_name or one.user_principal_name for one in found}
