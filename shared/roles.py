"""Which part of Tenantry a function app is: all of it, or one of three with an identity of its own. Pure.

The front takes what people ask and lays it down; the worker carries it out; the broker alone makes somebody active. What one
leaves for another is a row, which the other's timer finds.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.permissions import Registration


class Role(StrEnum):
    """The value of TENANTRY_ROLE."""

    ALL = "all"
    FRONT = "front"
    WORKER = "worker"
    BROKER = "broker"

    @property
    def answers(self) -> bool:
        """Whether it has the HTTP operations."""
        return self in (Role.ALL, Role.FRONT)

    @property
    def works(self) -> bool:
        """Whether it has the timers, orchestrators and activities."""
        return self in (Role.ALL, Role.WORKER)

    @property
    def brokers(self) -> bool:
        """Whether it acts as Tenantry Broker, where the deployment has one."""
        return self in (Role.ALL, Role.BROKER)


TRUSTS: Mapping[Role, frozenset[Registration]] = {
    Role.ALL: frozenset(Registration),
    Role.FRONT: frozenset({Registration.API, Registration.LOOKUP}),
    Role.WORKER: frozenset(Registration) - {Registration.API, Registration.BROKER},
    Role.BROKER: frozenset({Registration.LOOKUP, Registration.BROKER}),
}
"""The registrations that trust the managed identity of an app, and thus whom it can act as."""
