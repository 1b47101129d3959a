"""What the API answers about the outbox, as types. Pure. Docstrings and descriptions are text of its document."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.formats import Moment
from shared.notify.notices import Destination


class DestinationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How one destination stands. Its address is a secret of the deployment."""

    destination: Destination
    configured: Annotated[
        bool | None, Meta(description="Null where another app delivers, which alone knows its addresses.")
    ]
    gone_since: Annotated[
        Moment | None,
        Meta(description="Since when it takes nothing any more (it answered 410), at the address that it has."),
    ]
    undelivered: Annotated[
        int, Meta(description="How many messages were not delivered, stopped ones too. Counted to about 5,000.")
    ]
    since: Annotated[Moment | None, Meta(description="When the oldest of them was told.")]
    stopped: Annotated[
        int, Meta(description="How many of them are not tried any more: refused, or given up after days.")
    ]
    next_try: Annotated[Moment | None, Meta(description="When the next of the others is tried.")]
    last_problem: Annotated[str | None, Meta(description="What the latest one that failed was answered.")]


class OutboxView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The alarms that are still to be told."""

    value: tuple[DestinationView, ...]
