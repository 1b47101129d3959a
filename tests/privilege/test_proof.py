"""The proof of least privilege: every flow passes with the full set, one breaks without each permission, and the page in
docs says which.

The whole of it is `make matrix`; one proof for each registration runs always.
"""

import pytest

from shared.permissions import CALLS, Registration, SourceMode, needed
from tests.privilege.flows import FLOWS
from tests.privilege.judging import SIDES, surplus
from tests.privilege.page import CASES, PAGE, Case, on_page, render, row, start_of
from tests.privilege.proving import Finding, Prover

pytestmark = [pytest.mark.sampled(1), pytest.mark.timeout(900)]  # some cases pass every flow first


def _always(case: Case) -> bool:
    mode, registration, permission = case
    return mode is SourceMode.OWN and permission == needed(registration)[-1]


def _cases() -> list[object]:
    return [
        pytest.param(
            *case,
            id=f"{case[1].name.lower()}-{case[0].value}-{case[2]}",
            marks=() if _always(case) else pytest.mark.matrix,
        )
        for case in CASES
    ]


@pytest.mark.parametrize(("mode", "registration", "permission"), _cases())
async def test_without_it_a_flow_breaks_at_a_call_that_needs_it_as_the_page_says(
    mode: SourceMode, registration: Registration, permission: str, prover: Prover
) -> None:
    found = await prover.finding(registration, permission, mode)

    assert found is not None, "nothing breaks without it"
    assert permission in found.call.needs(mode)
    assert row((mode, registration, permission), found) in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("mode", SourceMode)
async def test_no_call_comes_with_more_than_the_table_gives(mode: SourceMode, prover: Prover) -> None:
    calls = await prover.passed(FLOWS[0], mode)

    assert {Registration.LOOKUP, Registration.SOURCE, Registration.SETUP, Registration.ACCESS} <= {
        one.registration for one in calls
    }
    assert surplus(calls, mode) == []


@pytest.mark.matrix
@pytest.mark.parametrize("mode", SourceMode)
async def test_every_flow_passes_with_the_full_set_and_together_they_make_every_call_of_the_table(
    mode: SourceMode, prover: Prover
) -> None:
    made = {flow.name: await prover.passed(flow, mode) for flow in FLOWS}

    assert {name: surplus(calls, mode) for name, calls in made.items() if surplus(calls, mode)} == {}
    seen = {(one.registration, one.call) for calls in made.values() for one in calls}
    wanted = {(registration, call) for call in CALLS if call.needs(mode) for registration in call.registrations}
    assert sorted(f"{who.value}: {call.method} {call.path}" for who, call in wanted - seen) == []


@pytest.mark.parametrize("case", on_page(), ids=lambda case: f"{case[1].name.lower()}-{case[0].value}-{case[2]}")
def test_a_row_of_the_page_is_one_that_the_proof_can_still_find(case: Case) -> None:
    """Cheap, and always: whoever changes a flow's name, a call or its reason has to make the page anew."""
    mode, _, permission = case
    calls = [call for call in CALLS if permission in call.needs(mode)]
    possible = {
        row(case, Finding(flow=flow, call=call, switches=side)) for flow in FLOWS for call in calls for side in SIDES
    }

    assert possible & set(PAGE.read_text(encoding="utf-8").splitlines())


def test_the_page_has_a_row_for_each_permission_and_around_them_what_the_data_says() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    starts = [start_of(case) for case in on_page()]
    rows = [line for line in lines if line.startswith(tuple(starts))]

    assert [line[: len(start)] for line, start in zip(rows, starts, strict=True)] == starts
    assert render(rows).splitlines() == lines
