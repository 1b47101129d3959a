"""The shapes of a deployment: what main.bicep comes to in each, and what its apps are called."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from tree_sitter import Node

from shared.permissions import Registration
from shared.roles import Role
from tests.unit.bicep import Bicep, all_properties, read_all, strings
from tests.unit.bicep_values import Values

FILES = read_all()
MAIN, APP, SETTINGS = (FILES[f"{one}.bicep"] for one in ("main", "modules/app", "modules/settings"))
TOKEN = "0123456789abc"

_OF_AN_APP = ("role", "appName", "identityClientId", "identityPrincipalId", "hostAccountName", "vaultName")
_HANDED = (*_OF_AN_APP, "givenSecrets", "name")


def _secrets() -> list[str]:
    """Every secret that a deployment may be told of."""
    allowed = MAIN.declared("parameter")["givenSecrets"].prev_named_sibling
    assert allowed is not None
    return [one for one in strings(allowed) if one.startswith("TENANTRY_")]


@dataclass(frozen=True)
class Shape:
    """One way to deploy: what main.bicep comes to."""

    isolation: bool
    subscriptions: tuple[str, ...]
    file: Bicep = MAIN

    @cached_property
    def main(self) -> Values:
        """The file under these parameters."""
        given = {
            "isolation": self.isolation,
            "brokerSubscriptions": self.subscriptions,
            "givenSecrets": _secrets(),
            "token": TOKEN,
        }
        return Values(self.file, given)

    @property
    def roles(self) -> dict[str, Role]:
        """The apps, by the name that main.bicep has for them."""
        made = self.main.made("modules/app.bicep")
        return {symbol: Role(self.main.of(given["role"])) for symbol, given in made.items()}

    @property
    def expected(self) -> set[Role]:
        """The apps that there should be."""
        if not self.isolation:
            return {Role.ALL}
        return {Role.FRONT, Role.WORKER} | ({Role.BROKER} if self.subscriptions else set())

    def app_of(self, path: str) -> Role:
        """Whose output something is: an identity, an account."""
        return self.roles[path.partition(".")[0]]

    def identities(self, node: Node) -> set[Role]:
        """The apps whose identities a list names."""
        named = self.main.of(node)
        assert all(one.endswith(".outputs.principalId") for one in named)
        return {self.app_of(one) for one in named}

    def trusted(self) -> dict[Registration, set[Role]]:
        """The apps that each registration trusts, where it is made."""
        made = {**self.main.made("modules/registration.bicep"), **self.main.made("modules/api.bicep")}
        return {Registration[symbol.upper()]: self.identities(given["trusted"]) for symbol, given in made.items()}

    def given(self, path: str) -> list[dict[str, Any]]:
        """What each call of a module is given, as far as it can be worked out."""
        made = self.main.made(path).items()
        return [
            {"symbol": symbol} | {one: self.main.of(given[one]) for one in _HANDED if one in given}
            for symbol, given in made
        ]


SHAPES = {
    "one app": Shape(isolation=False, subscriptions=()),
    "one app with the broker": Shape(isolation=False, subscriptions=("a",)),
    "isolated": Shape(isolation=True, subscriptions=()),
    "isolated with the broker": Shape(isolation=True, subscriptions=("a",)),
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def named(role: Role) -> dict[str, str]:
    """What an app and its own are called, and by which name azd finds it."""
    values = Values(APP, {"role": role.value, "token": TOKEN})
    there = APP.declared()
    names = {symbol: dict(reversed([*all_properties(there[symbol])])) for symbol in ("identity", "host", "plan", "app")}
    host = next(value for key, value in all_properties(there["host"]) if key == "params")
    found = {symbol: values.of(given["name"]) for symbol, given in names.items() if symbol != "host"}
    return {
        **found,
        "host": values.of(dict(all_properties(host))["name"]),
        "service": values.of(names["app"]["azd-service-name"]),
    }
