"""Waiting and sending again: seconds in the client, longer waits raised, and never a blind second create."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from shared.errors import Throttled, Unavailable
from tests.clients.bench import IN_SOURCE, IN_TARGET, SOURCE, TARGET, Bench, refuse
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.points import cut
from tests.world.clouds_scene import PARTNERS

_READ = f"GET /v1.0{PARTNERS}/{{id}}"
_CREATE = f"POST /v1.0{PARTNERS}"
_CHANGE = f"PATCH /v1.0{PARTNERS}/{{id}}"
_CHANGES = {"inboundTrust": {"isMfaAccepted": True}}


def unavailable() -> GraphError:
    return GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")


def arm(bench: Bench, kind: str, label: str, *errors: GraphError) -> None:
    for nth, error in enumerate(errors):
        bench.world.points.arm(kind, label, nth, refuse(error))


async def test_a_short_wait_is_sat_out_and_obeyed(bench: Bench) -> None:
    arm(bench, "vendor-read.before", _READ, throttled(4))
    before = bench.world.clock.now()

    await bench.in_target().partner(SOURCE)

    assert bench.hits(_READ) == 2
    assert bench.world.clock.now() - before >= timedelta(seconds=4)


async def test_a_create_that_was_throttled_is_sent_again(bench: Bench) -> None:
    """429 says that nothing was done."""
    arm(bench, "vendor.before", _CREATE, throttled(2))

    await bench.in_target().create_partner(SOURCE, IN_TARGET)

    assert bench.hits(_CREATE) == 2
    assert await bench.in_target().partner(SOURCE) is not None


@pytest.mark.parametrize(("error", "seconds"), [(throttled(60), 60.0), (throttled(None), 10.0)])
async def test_a_long_wait_is_raised_with_its_length(bench: Bench, error: GraphError, seconds: float) -> None:
    arm(bench, "vendor-read.before", _READ, error)

    with pytest.raises(Throttled) as refused:
        await bench.in_target().partner(SOURCE)

    assert refused.value.seconds == seconds
    assert bench.hits(_READ) == 1


async def test_until_the_wait_is_over_nothing_is_sent_on_that_lane_and_others_go_on(bench: Bench) -> None:
    arm(bench, "vendor-read.before", _READ, throttled(60))
    with pytest.raises(Throttled):
        await bench.in_target().partner(SOURCE)

    with pytest.raises(Throttled) as refused:
        await bench.in_target().create_partner(SOURCE, IN_TARGET)
    assert 0 < refused.value.seconds <= 60
    assert bench.hits(_CREATE) == 0
    assert await bench.directory.organization(TARGET) is not None  # another family
    assert await bench.directory.find_tenant_by_id(TARGET) is not None  # another tenant and registration

    bench.world.clock.advance(60)
    await bench.in_target().create_partner(SOURCE, IN_TARGET)


async def test_throttling_that_does_not_end_is_raised(bench: Bench) -> None:
    arm(bench, "vendor-read.before", _READ, *[throttled(1)] * 4)

    with pytest.raises(Throttled):
        await bench.in_target().partner(SOURCE)

    assert bench.hits(_READ) == 4


type Send = Callable[[Bench], Awaitable[object]]

_CREATES: dict[str, tuple[str, Send]] = {
    "partner": (_CREATE, lambda b: b.in_target().create_partner(SOURCE, IN_TARGET)),
    "application": (
        "POST /v1.0/applicationTemplates/{id}/instantiate",
        lambda b: b.applications.instantiate("Fabrikam", IN_SOURCE),
    ),
}


@pytest.mark.parametrize("kind", _CREATES)
@pytest.mark.parametrize("trouble", ["lost answer", "lost request", "503", "504 after the deed"])
async def test_a_create_is_never_sent_again_blindly(bench: Bench, kind: str, trouble: str) -> None:
    label, send = _CREATES[kind]
    match trouble:
        case "lost answer":
            bench.world.points.arm("vendor.after", label, 0, cut)
        case "lost request":
            bench.world.points.arm("vendor.before", label, 0, cut)
        case "503":
            arm(bench, "vendor.before", label, unavailable())
        case _:
            arm(bench, "vendor.after", label, GraphError(504, "UnknownError", ""))

    with pytest.raises(Unavailable) as failed:
        await send(bench)

    assert failed.value.uncertain
    assert bench.hits(label) == 1


async def test_a_change_is_sent_again_because_a_repeat_does_no_harm(bench: Bench) -> None:
    await bench.in_target().create_partner(SOURCE, IN_TARGET)
    arm(bench, "vendor.before", _CHANGE, unavailable())
    bench.world.points.arm("vendor.after", _CHANGE, 0, cut)

    await bench.in_target().update_partner(SOURCE, _CHANGES, IN_TARGET)

    assert bench.hits(_CHANGE) == 3
    partner = await bench.in_target().partner(SOURCE)
    assert partner is not None
    assert partner.inbound_trust is not None
    assert partner.inbound_trust.is_mfa_accepted


async def test_a_read_is_sent_again_and_then_given_up(bench: Bench) -> None:
    arm(bench, "vendor-read.before", _READ, unavailable(), unavailable())
    assert await bench.in_target().partner(SOURCE) is None
    assert bench.hits(_READ) == 3

    for nth in range(3, 7):
        bench.world.points.arm("vendor-read.before", _READ, nth, refuse(unavailable()))
    with pytest.raises(Unavailable):
        await bench.in_target().partner(SOURCE)
    assert bench.hits(_READ) == 7


async def test_a_post_that_only_reads_is_sent_again(bench: Bench) -> None:
    await bench.world.trust()
    sync = await bench.world.synchronization()
    label = "POST /v1.0/servicePrincipals/{id}/synchronization/jobs/validateCredentials"
    arm(bench, "vendor.before", label, unavailable())

    assert await bench.synchronizations.validate_credentials(sync.principal, TARGET) is None

    assert bench.hits(label) == 2


async def test_a_graph_that_nobody_reaches_did_nothing(bench: Bench) -> None:
    """The one failure after which a create may be sent again."""

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(nobody)) as http:
        bench.use(http)
        with pytest.raises(Unavailable) as failed:
            await bench.in_target().create_partner(SOURCE, IN_TARGET)

    assert not failed.value.uncertain
