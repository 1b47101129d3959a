"""The permission table is least, row by row and registration by registration, on either side of what nobody settled.

And the judgments have teeth: a row with too little, a row with too much and a token with too much are each found.
"""

import pytest
from msgspec.structs import replace

from shared.permissions import ASSIGN, CALLS, LIST_GROUP_MEMBERS, READ_TARGET_USER, Registration, SourceMode, needed
from tests.privilege.judging import Made, could_miss, idle, surplus, weaknesses
from tests.sandbox.graph.permissions import AS_LIKELY
from tests.sandbox.switches import Switches

ASSIGNING = "assigning-needs-its-own-permission"
WRITE_ASSIGNMENTS, WRITE_APPLICATIONS = "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"


@pytest.mark.parametrize("mode", SourceMode)
def test_each_row_has_what_the_vendor_asks_for_and_nothing_else(mode: SourceMode) -> None:
    assert [weakness for call in CALLS for weakness in weaknesses(call, mode)] == []


@pytest.mark.parametrize("mode", SourceMode)
@pytest.mark.parametrize("registration", Registration)
def test_each_permission_is_missed_by_some_call(registration: Registration, mode: SourceMode) -> None:
    assert idle(CALLS, registration, mode) == []


def test_a_row_with_too_little_is_found() -> None:
    [told] = weaknesses(replace(READ_TARGET_USER, permissions=("Organization.Read.All",)), SourceMode.OWN)

    assert "is not enough" in told


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_no_permission_can_be_taken_from_a_row(call: object) -> None:
    [row] = [one for one in CALLS if one is call]

    for name in row.permissions:
        less = tuple(one for one in row.permissions if one != name)
        found = weaknesses(replace(row, permissions=less), SourceMode.OWN)
        assert found or not less


def test_a_row_with_a_needless_permission_is_found() -> None:
    more = replace(READ_TARGET_USER, permissions=("User.Read.All", "AuditLog.Read.All"))

    assert weaknesses(more, SourceMode.OWN) == ["GET /users/{id}: AuditLog.Read.All is not needed"]
    assert idle([more], Registration.ACCESS, SourceMode.OWN) == ["AuditLog.Read.All"]


def test_members_without_their_names_are_not_enough() -> None:
    less = replace(LIST_GROUP_MEMBERS, permissions=("GroupMember.Read.All",))

    assert weaknesses(less, SourceMode.OWN) == ["GET /groups/{id}/members: ['GroupMember.Read.All'] is not enough"]


@pytest.mark.parametrize("left", [WRITE_ASSIGNMENTS, WRITE_APPLICATIONS])
def test_what_is_needed_on_one_side_of_a_question_only_stays_in_the_table(left: str) -> None:
    assert weaknesses(replace(ASSIGN, permissions=(left,)), SourceMode.OWN) != []


def test_the_permission_to_assign_is_missed_where_applications_do_not_include_it() -> None:
    def missed(switches: Switches) -> bool:
        return could_miss(Registration.SOURCE, WRITE_ASSIGNMENTS, SourceMode.OWN, switches)

    assert (missed(AS_LIKELY), missed(Switches([ASSIGNING]))) == (False, True)


def test_a_token_with_more_than_the_table_gives_is_found() -> None:
    def read_with(*more: str) -> list[Made]:
        held = frozenset({*needed(Registration.ACCESS), *more})
        return [Made(registration=Registration.ACCESS, roles=held, call=READ_TARGET_USER, status=200)]

    assert surplus(read_with(), SourceMode.OWN) == []
    assert len(surplus(read_with("Directory.Read.All"), SourceMode.OWN)) == 1


def test_a_call_that_the_mode_does_not_have_is_found() -> None:
    held = frozenset(needed(Registration.SOURCE, SourceMode.ADOPTED))
    call = Made(registration=Registration.SOURCE, roles=held, call=ASSIGN, status=201)

    assert len(surplus([call], SourceMode.ADOPTED)) == 1
