"""The approvers of a lock-down, one by one, as the source's directory knows them. As Tenantry Lookup, read only."""

from collections import defaultdict

from shared.errors import NotFound
from shared.graph.directory import User
from shared.identifiers import ObjectId
from shared.lockdown.reach import why_not_reached
from shared.services import Services
from shared.subscriptions.findings import Approver, ApproversSeen, Reach
from shared.subscriptions.lockdown import Principals

_MOST_GROUPS = 5
"""Named of one approver: a row has its limits."""

MOST_APPROVERS = 300
"""Looked at one by one; the rest is counted."""

_MOST_ODD = 50


async def look_at_approvers(services: Services, named: Principals) -> ApproversSeen:
    """Who can approve: the users that are named, and the direct members of the groups. Raises the RemoteErrors.

    What in a group is no user, and a group that is gone, is told as an approver who cannot.
    """
    groups: dict[ObjectId, set[ObjectId]] = defaultdict(set)
    odd: list[Approver] = []
    for group in named.groups:
        try:
            members = await services.directory.direct_members(group)
        except NotFound:
            odd.append(_odd(group, (), "the group is not in the directory any more"))
            continue
        for one in members:
            if one.is_user:
                groups[one.id].add(group)
            else:
                odd.append(_odd(one.id, (group,), _WHY.get(one.odata_type, "it is no user")))
    wanted = sorted({*named.users, *groups})
    looked_at = wanted[:MOST_APPROVERS]
    found = {one.id: one for one in await services.directory.mailboxes(looked_at)}
    people = [_approver(one, tuple(sorted(groups.get(one, ()))), found.get(one)) for one in looked_at]
    return ApproversSeen(
        looked=services.clock.now(),
        approvers=(*people, *odd[:_MOST_ODD]),
        more=len(wanted) - len(looked_at) + len(odd[_MOST_ODD:]),
    )


_WHY = {
    "#microsoft.graph.group": "a group within a group: PIM may not count its members",
    "#microsoft.graph.servicePrincipal": "an application cannot approve",
}


def _approver(object_id: ObjectId, groups: tuple[ObjectId, ...], user: User | None) -> Approver:
    if user is None:
        return _odd(object_id, groups, "the directory does not show the account")
    plans = [(one.service, one.capability_status) for one in user.assigned_plans or ()]
    why = why_not_reached(enabled=user.account_enabled, mail=user.mail, plans=plans)
    return Approver(
        principal_id=object_id,
        groups=groups[:_MOST_GROUPS],
        reach=Reach.NOT_PROVEN if why else Reach.OK,
        can_approve=user.account_enabled is True,
        why=why,
    )


def _odd(object_id: ObjectId, groups: tuple[ObjectId, ...], why: str) -> Approver:
    return Approver(
        principal_id=object_id, groups=groups[:_MOST_GROUPS], reach=Reach.NOT_PROVEN, can_approve=False, why=why
    )
