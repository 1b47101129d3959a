"""The comparisons of acts 3 to 5: only what differs is sent, nothing that somebody set is ever cleared."""

from typing import Any

import msgspec
from hypothesis import example, given

from shared.graph.shapes import AutomaticRedemption, InboundTrust, Partner
from shared.tenants.record import Trust
from shared.writes.desired import changes_to_trust_source, changes_to_trust_target, trusts_source, trusts_target
from tests.unit.making import SOURCE, inbound_trusts, partners, trusts


def merged(partner: Partner, changes: dict[str, Any]) -> Partner:
    """As a PATCH that merges nested objects leaves the partner."""
    image: dict[str, Any] = msgspec.to_builtins(partner)
    for name, value in changes.items():
        image[name] = {**(image[name] or {}), **value}
    return msgspec.convert(image, type=Partner)


def replaced(partner: Partner, changes: dict[str, Any]) -> Partner:
    """As a PATCH that takes nested objects whole leaves it: which of the two Graph does is unconfirmed."""
    return msgspec.convert({**msgspec.to_builtins(partner), **changes}, type=Partner)


def flags(partner: Partner) -> set[str]:
    """Everything that is switched on."""
    parts: dict[str, Any] = msgspec.to_builtins(partner)
    nested = (parts["inboundTrust"], parts["automaticUserConsentSettings"])
    return {name for part in nested if part for name, value in part.items() if value is True}


@given(partners, trusts)
def test_the_changes_make_it_so_and_a_second_look_finds_nothing_to_do(partner: Partner, trust: Trust) -> None:
    changes = changes_to_trust_source(partner, trust)

    for apply in (merged, replaced):
        after = apply(partner, changes)
        assert trusts_source(after, trust)
        assert changes_to_trust_source(after, trust) == {}


@given(partners, trusts)
@example(
    Partner(tenant_id=SOURCE, inbound_trust=InboundTrust(is_compliant_device_accepted=True)),
    Trust(mfa=True, compliant_device=False, hybrid_joined=False),
)
@example(Partner(tenant_id=SOURCE, automatic_user_consent_settings=AutomaticRedemption(outbound_allowed=True)), Trust())
def test_what_is_switched_on_stays_on(partner: Partner, trust: Trust) -> None:
    for changes in (changes_to_trust_source(partner, trust), changes_to_trust_target(partner)):
        for apply in (merged, replaced):
            assert flags(partner) <= flags(apply(partner, changes))


def effective(own: InboundTrust | None, default: InboundTrust) -> set[str]:
    """What is trusted: each flag as the partner has it, else as the default does."""
    inherited: dict[str, Any] = msgspec.to_builtins(default)
    set_here = {name: flag for name, flag in msgspec.to_builtins(own or InboundTrust()).items() if flag is not None}
    return {name for name, flag in {**inherited, **set_here}.items() if flag is True}


@given(partners, trusts, inbound_trusts)
@example(Partner(tenant_id=SOURCE), Trust(), InboundTrust(is_compliant_device_accepted=True))
def test_what_was_inherited_from_the_default_is_trusted_afterwards_too(
    partner: Partner, trust: Trust, default: InboundTrust
) -> None:
    """A flag that was sent is inherited no more, so one that counted by the default must be sent as it counted."""
    changes = changes_to_trust_source(partner, trust, default)

    for apply in (merged, replaced):
        after = apply(partner, changes)
        assert effective(partner.inbound_trust, default) <= effective(after.inbound_trust, default)


@given(partners, trusts)
def test_no_null_is_ever_sent(partner: Partner, trust: Trust) -> None:
    """A null in a PATCH clears the setting."""
    for changes in (changes_to_trust_source(partner, trust), changes_to_trust_target(partner)):
        assert all(isinstance(value, bool) for part in changes.values() for value in part.values())


@given(partners)
def test_the_source_redeems_outbound_and_a_second_look_finds_nothing_to_do(partner: Partner) -> None:
    changes = changes_to_trust_target(partner)

    for apply in (merged, replaced):
        after = apply(partner, changes)
        assert trusts_target(after)
        assert changes_to_trust_target(after) == {}


@given(partners)
def test_no_flag_that_nobody_asked_for_is_switched_on(partner: Partner) -> None:
    nothing = Trust(mfa=False, compliant_device=False, hybrid_joined=False)

    after = merged(partner, changes_to_trust_source(partner, nothing))

    assert flags(after) - flags(partner) <= {"inboundAllowed"}


def test_where_there_is_no_partner_nothing_is_trusted() -> None:
    assert not trusts_source(None, Trust(mfa=False))
    assert not trusts_target(None)
