"""A renewal's hold on a subject: the run row keeps every other run out, and the record shows the fence. The state stays."""

from msgspec.structs import replace

from shared.renewal.kinds import Noted, Renewable, SubjectKind
from shared.renewal.messages import BY_HAND, BY_NIGHT, RenewCall
from shared.run import Run, key_of
from shared.services import Services
from shared.subjects import Renewing


async def take[S: Renewable](services: Services, kind: SubjectKind[S], call: RenewCall) -> S | None:
    """Take the subject, or keep hold of it. Safe twice. None: another run holds it, or it is not at rest."""
    subject = await kind.read(call.subject_id)
    if subject is None or not kind.is_looked_after(subject):
        return None
    now, record = services.clock.now(), subject.record
    word = call.wish.asked_by or record.reviewed.by
    run = Run(
        subject=call.subject_id,
        kind=kind.run_kind,
        number=record.run if _holds(subject, call) else record.run + 1,
        orchestration_id=call.orchestration_id,
        nonce=call.nonce,
        opened=now,
        requested_by=word,
        started=now,
    )
    holder = await services.runs.insert(run)
    if holder is not None:
        return None
    renewing = Renewing(
        nonce=call.nonce, since=now, on_whose_word=word, reason=BY_HAND if call.wish.asked_by else BY_NIGHT
    )

    def decide(found: S) -> Noted | None:
        if not kind.is_looked_after(found) or found.record.run >= run.number:
            return None
        return Noted(run=run.number, renewing=renewing)

    subject = await kind.note(call.subject_id, decide)
    if not _holds(subject, call):
        await services.runs.close(key_of(run), "followed")
        return None
    return subject


async def let_go[S: Renewable](services: Services, kind: SubjectKind[S], call: RenewCall) -> int:
    """Let go of the subject. Gives how much was changed. Safe twice; a hold that another run took over is over already."""
    changes = 0

    def decide(found: S) -> Noted | None:
        nonlocal changes
        renewing = found.record.renewing
        if renewing is None or renewing.nonce != call.nonce:
            return None
        changes = renewing.changes
        return Noted(renewing=None)

    await kind.note(call.subject_id, decide)
    run = await services.runs.open_run(call.subject_id)
    if run is not None and run.nonce == call.nonce:
        await services.runs.close(key_of(run), f"{changes} renewed")
    return changes


def counted(renewing: Renewing, changes: int) -> Renewing:
    """The hold, once so much more was changed."""
    return replace(renewing, changes=renewing.changes + changes)


def _holds(subject: Renewable, call: RenewCall) -> bool:
    return subject.record.renewing is not None and subject.record.renewing.nonce == call.nonce
