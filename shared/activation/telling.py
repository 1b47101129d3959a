"""What is to be told of a request goes to the outbox, once, and the record remembers it."""

from datetime import timedelta

from msgspec.structs import replace

from shared.activation.following import first_reminder, is_to_remind, reminded
from shared.activation.news import PRICED, news
from shared.activation.record import Request
from shared.activation.weighing import judged
from shared.services import Services
from shared.subscriptions.lockdown import LockDown


async def told(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """Tell what is new. Safe twice: the outbox knows a message by what it is about, on the day of the request."""
    now = services.clock.now()
    judgement = None if lock_down is None else judged(record, lock_down)
    url = services.settings.public_url
    fresh = [one for one in news(record, judgement, url, now) if one.key not in record.told]
    if not fresh:
        return record
    for number, one in enumerate(fresh):
        # What is told at one moment is sent in the order of its times.
        at = one.notice.at + timedelta(microseconds=number)
        await services.outbox.tell(record.asked.created.date(), replace(one.notice, at=at))
    has_price = record.priced is not None and record.priced.estimate is not None
    keys = (*(one.key for one in fresh), *([PRICED] if has_price else []))
    reminds = is_to_remind(record, now)

    def put(found: Request) -> Request | None:
        found = replace(found, told=(*found.told, *(key for key in keys if key not in found.told)))
        if reminds and found.reminded == record.reminded:
            return reminded(found, now)
        return first_reminder(found, now) if found.remind_at is None else found

    return (await services.activations.change(record.request_id, put)).record
