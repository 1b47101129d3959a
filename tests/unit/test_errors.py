"""The error tree: drawn in its docstring, and the drawing is true."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import shared
from shared import errors
from shared.errors import AutomationError, BadRequest, NotConsented, RemoteCall, RemoteError, Throttled

_LINE = re.compile(r"^((?:[|`]-- |\|   |    )*)(\w+)(?:  +(.+))?$")


def drawn() -> dict[str, str]:
    """Each error and its parent, as the docstring draws them."""
    tree = (errors.__doc__ or "").partition("AutomationError")
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (tree[1] + tree[2]).splitlines():
        found = _LINE.match(line)
        if found is None or not found[2][0].isupper() or (path and not found[1]):
            continue
        depth = len(found[1]) // 4
        path = [*path[:depth], found[2]]
        parents[found[2]] = path[-2] if depth else ""
    return parents


def everything(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for lower in kind.__subclasses__():
        yield from everything(lower)


@pytest.fixture(scope="module", autouse=True)
def _all_loaded() -> None:
    for module in pkgutil.walk_packages(shared.__path__, "shared."):
        importlib.import_module(module.name)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in everything(AutomationError)}

    assert {**real, "AutomationError": ""} == drawn()


def test_every_error_of_the_tree_stands_in_the_one_file() -> None:
    assert {"shared.errors"} == {kind.__module__ for kind in everything(AutomationError)}


def test_every_error_says_when_it_is_raised() -> None:
    assert all((kind.__doc__ or "").startswith(("Raised", "The root")) for kind in everything(AutomationError))


def test_a_remote_error_tells_where_and_never_the_vendor_s_words() -> None:
    """A message of a vendor may repeat what was sent."""
    call = RemoteCall(
        service="graph",
        method="GET",
        path="/users/{id}",
        tenant_id="t",
        status=403,
        code="Denied",
        message="the body was {secret}",
        request_id="r",
    )

    said = str(RemoteError(call))

    assert all(part in said for part in ("graph", "GET", "/users/{id}", "403", "Denied", "r"))
    assert "secret" not in said
    assert Throttled(call, seconds=7.0).seconds == 7.0


def test_errors_for_people_name_what_they_are_about() -> None:
    assert str(BadRequest("displayName", "is missing")) == "displayName: is missing"
    assert str(NotConsented("Tenantry Setup", "t", ("a", "b"))) == "Tenantry Setup in t: a, b"
    assert "not present" in str(NotConsented("Tenantry Setup", "t"))
