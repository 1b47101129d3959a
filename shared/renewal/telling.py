"""What a look leaves behind: the ends as they are, the day's report, alarms. No alarm comes twice on a day."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId, SubscriptionId, TenantId
from shared.notify.notices import Kind, Notice
from shared.renewal.due import Refused, Seen, Why, ends_early, is_at_risk, is_review_due
from shared.renewal.kinds import Judged, Look, Named, Noted, Renewable, SubjectKind
from shared.renewal.messages import Wish
from shared.renewal.report import BARRED, BARRED_TOLD, MISSING_TOLD, NOT_OURS_TOLD, Line, Of, Outcome, Report, line
from shared.services import Services

_log = logging.getLogger(__name__)


async def keep[S: Renewable](kind: SubjectKind[S], look: Look[S], allowed: Callable[[S], bool]) -> S:
    """Keep on the record what was seen: another end that a person gave, what is gone before its end, the role's policy.

    `allowed`: whether the subject is still as it was looked at.
    """
    seen = [(one.known, row) for one in look.judged if (row := as_seen(one, look.now)) != one.known]

    def decide(found: S) -> Noted | None:
        if not allowed(found):
            return None
        rows = tuple(row for known, row in seen if found.eligibilities.get(row.key) == known)
        return Noted(renewing=found.record.renewing, rows=rows, policies=look.policies)

    if not seen and not look.policies:
        return look.subject
    return await kind.note(look.subject.subject_id, decide)


async def tell[S: Renewable](
    services: Services,
    kind: SubjectKind[S],
    wish: Wish,
    look: Look[S],
    written: Iterable[Line] = (),
    *,
    is_told_of: bool = True,
) -> None:
    """Add what was found to the day's report, and raise what alarms there are.

    Of a subject that the day had no report of when its page began (`is_told_of`), nothing to say stays unsaid without a look
    at the store. So what another run of the same day tells in those minutes stays told until the next look.
    """
    told = [line(one.row, one.seen, one.verdict, kind.of) for one in look.judged]
    report = Report(
        subject_id=look.subject.subject_id,
        of=kind.of,
        at=look.now,
        lines=(
            *(one for one in told if one is not None),
            *(_named(one, Outcome.NOT_OURS, NOT_OURS_TOLD) for one in look.others),
            *(_named(one, Outcome.MISSING, MISSING_TOLD) for one in look.missing),
            *(replace(_named(one, Outcome.REFUSED, BARRED_TOLD), why=BARRED) for one in look.barred),
            *written,
        ),
        next_end=look.next_end,
    )
    if report or is_told_of:
        await services.renewals.add(wish.date, report, looked=True)
    for one in look.judged:
        if isinstance(one.verdict, Refused) and one.verdict.alarming:
            await at_risk(services, wish, kind.of, look.subject.subject_id, as_seen(one, look.now), one.verdict.why)


async def tell_written(services: Services, wish: Wish, of: Of, subject_id: str, written: Iterable[Line]) -> None:
    """Add to the day's report what was written before something came in between."""
    report = Report(subject_id=subject_id, of=of, at=services.clock.now(), lines=tuple(written))
    await services.renewals.add(wish.date, report)


async def tell_problem(services: Services, wish: Wish, of: Of, subject_id: str, problem: str) -> None:
    """Add to the day's report why a subject could not be looked at."""
    report = Report(subject_id=subject_id, of=of, at=services.clock.now(), problem=problem)
    await services.renewals.add(wish.date, report)


async def stopped[S: Renewable](
    services: Services, kind: SubjectKind[S], wish: Wish, subject: S, error: Exception
) -> None:
    """What no repeat heals: access that was lost, no PIM there, a refusal. It is told, with what is at risk by it."""
    lost = kind.lost(error)
    if lost:
        await access_lost(services, wish, kind.of, subject.subject_id, lost)
    await tell_problem(services, wish, kind.of, subject.subject_id, str(error))
    await alarm_of_all(services, kind, wish, subject, "AccessLost" if lost else type(error).__name__)


async def alarm_of_all[S: Renewable](
    services: Services, kind: SubjectKind[S], wish: Wish, subject: S, why: str
) -> None:
    """Nothing of a subject could be renewed: what ends soon, by what is known of it, is at risk."""
    for row in subject.eligibilities.values():
        seen = Seen(left=row.end, in_force=True, end=row.ends, wanted_days=kind.wanted_days(subject, row))
        if row.removed is None and is_at_risk(seen, kind.tonight(subject, row.role_definition_id, wish)):
            await at_risk(services, wish, kind.of, subject.subject_id, row, why)


async def at_risk(services: Services, wish: Wish, of: Of, subject_id: str, row: Eligibility, why: str) -> None:
    """An eligibility that ends soon could not be renewed, or one that lapsed not recovered."""
    lapsed = row.ends is not None and row.ends <= services.clock.now()
    alarm = Kind.LAPSED if lapsed else Kind.AT_RISK
    who, role = row.principal_id, row.role_definition_id
    await notify(
        services, wish, of, subject_id, alarm, principal_id=who, role_definition_id=role, why=why, end=row.ends
    )
    if not await services.renewals.is_first(wish.date, "lapsed" if lapsed else "at_risk", subject_id, who, role):
        return
    told = (of.value, subject_id, row.principal_id, row.role_definition_id, why, row.ends)
    if lapsed:
        _log.error("renewal.lapsed %s_id=%s principal_id=%s role=%s why=%s since=%s", *told)
        return
    _log.warning("renewal.at_risk %s_id=%s principal_id=%s role=%s why=%s until=%s", *told)


async def remind_of_review(services: Services, wish: Wish, of: Of, subject: Renewable) -> None:
    """The word that the subject's eligibilities are needed is nearly over, or is."""
    review = subject.record.reviewed
    if not is_review_due(review.at, review.until, services.clock.now()):
        return
    await notify(services, wish, of, subject.subject_id, Kind.REVIEW_DUE, end=review.until)
    if await services.renewals.is_first(wish.date, "review_due", subject.subject_id):
        _log.warning("renewal.review_due %s_id=%s until=%s", of.value, subject.subject_id, review.until)


async def access_lost(services: Services, wish: Wish, of: Of, subject_id: str, registration: str) -> None:
    """A registration that renewal works as may not do its work there any more."""
    alarm = Kind.ACCESS_LOST if of is Of.TENANT else Kind.RIGHTS_LOST
    await notify(services, wish, of, subject_id, alarm, registration=registration)
    if await services.renewals.is_first(wish.date, "access_lost", subject_id, registration):
        _log.warning("renewal.access_lost %s_id=%s registration=%s", of.value, subject_id, registration)


async def failed(services: Services, wish: Wish) -> None:
    """A part of what there is could not even be listed: nobody knows who was not looked at."""
    await services.outbox.tell(wish.date, Notice(kind=Kind.FAILED, at=services.clock.now(), day=wish.date))
    if await services.renewals.is_first(wish.date, "failed"):
        _log.error("renewal.failed date=%s", wish.date)


async def notify(
    services: Services,
    wish: Wish,
    of: Of,
    subject_id: str,
    alarm: Kind,
    *,
    principal_id: ObjectId | None = None,
    role_definition_id: str | None = None,
    registration: str | None = None,
    why: str | None = None,
    end: datetime | None = None,
) -> None:
    """Put an alarm into the outbox, once a day. Before the mark that it was told: who dies in between tells it again, and
    nobody twice.
    """
    told = Notice(
        kind=alarm,
        at=services.clock.now(),
        tenant_id=TenantId(subject_id) if of is Of.TENANT else None,
        subscription_id=SubscriptionId(subject_id) if of is Of.SUBSCRIPTION else None,
        principal_id=principal_id,
        role_definition_id=role_definition_id,
        registration=registration,
        why=why,
        end=end,
    )
    await services.outbox.tell(wish.date, told)


def as_seen(one: Judged, now: datetime) -> Eligibility:
    """The row as it is now. An earlier end is a person's word, and what was left stays known."""
    if not one.seen.in_force:
        gone = isinstance(one.verdict, Refused) and one.verdict.why is Why.REMOVED
        return replace(one.row, removed=one.row.removed or now) if gone else one.row
    if ends_early(one.seen):
        return replace(one.row, ends_early=one.seen.end)
    return replace(one.row, end=one.seen.end, ends_early=None, removed=None)


def _named(one: Named, outcome: Outcome, told: str) -> Line:
    return Line(
        principal_id=one.principal_id,
        role_definition_id=one.role_definition_id,
        outcome=outcome,
        end=one.end,
        told=told,
    )
