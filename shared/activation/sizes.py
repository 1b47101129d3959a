"""The dearest VM size that a subscription declared: what a request without a plan is shown with. Pure."""

from decimal import Decimal

import msgspec


class Dearest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A size, where, and its list price in an hour."""

    size: str
    region: str
    currency: str
    hourly: Decimal
