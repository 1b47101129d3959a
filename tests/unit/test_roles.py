"""What an app of each role registers: together they are all of it, and no part has what another one is for."""

from functools import cache
from typing import Any

from shared.assembly import app_of
from shared.permissions import Registration
from shared.roles import TRUSTS, Role

_OF_DURABLE = {"orchestrationTrigger", "activityTrigger", "durableClient"}


@cache
def functions(role: Role) -> dict[str, Any]:
    """By their names; an app gives them out once."""
    return {str(one.get_function_name()): one for one in app_of(role).get_functions()}


def triggers(role: Role) -> set[str]:
    return {one.get_trigger().get_binding_name() for one in functions(role).values()}


def bindings(role: Role) -> set[str]:
    return {binding.get_binding_name() for one in functions(role).values() for binding in one.get_bindings()}


def test_the_front_has_every_operation_and_no_function_of_the_worker() -> None:
    front, worker = functions(Role.FRONT), functions(Role.WORKER)

    assert triggers(Role.FRONT) == {"httpTrigger"}
    assert bindings(Role.FRONT) & _OF_DURABLE == set()
    assert set(front) & set(worker) == set()
    assert {*front, *worker} == set(functions(Role.ALL))


def test_the_worker_answers_nobody_over_http() -> None:
    assert "httpTrigger" not in triggers(Role.WORKER)
    assert {"orchestrationTrigger", "activityTrigger", "timerTrigger"} == triggers(Role.WORKER)


def test_the_broker_has_one_timer_that_the_app_of_all_roles_is_without() -> None:
    assert set(functions(Role.BROKER)) == {"serve_broker"}
    assert triggers(Role.BROKER) == {"timerTrigger"}
    assert bindings(Role.BROKER) & _OF_DURABLE == set()
    assert "serve_broker" not in functions(Role.ALL)


def test_routes_are_the_same_in_front_and_in_all() -> None:
    def routes(role: Role) -> dict[str, tuple[str, str, str]]:
        found = {name: one.get_trigger().get_dict_repr() for name, one in functions(role).items()}
        return {
            name: (one["route"], str(one["methods"]), str(one["authLevel"]))
            for name, one in found.items()
            if one["type"] == "httpTrigger"
        }

    assert len(routes(Role.FRONT)) == len(functions(Role.FRONT))
    assert routes(Role.FRONT) == routes(Role.ALL)


def test_each_registration_trusts_the_app_that_acts_as_it_and_only_lookup_is_shared() -> None:
    apart = [TRUSTS[role] for role in (Role.FRONT, Role.WORKER, Role.BROKER)]

    assert frozenset().union(*apart) == TRUSTS[Role.ALL] == frozenset(Registration)
    assert {one for one in Registration if sum(one in trusted for trusted in apart) > 1} == {Registration.LOOKUP}
