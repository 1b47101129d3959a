"""How persons signed in, and what conditional access wants of them before it gives a token for Azure (section 6).

A v2.0 access token does not say how its person signed in: Entra knows it of the session, as here by the token's `uti`.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_OID, uuid5

from tests.sandbox.entra.errors import EntraError


class Demand(StrEnum):
    """What conditional access wants of a person."""

    MFA = "multifactor authentication"
    ENROL = "a second factor to be registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in: with a second factor, or not; and the authentication contexts that it proved."""

    mfa: bool = False
    contexts: frozenset[str] = frozenset()


class SignIns:
    """The sessions behind tokens, and the demands on persons."""

    def __init__(self) -> None:
        self._by_token: dict[str, SignIn] = {}
        self.demands: dict[str, Demand] = {}
        """By person: what a token for Azure takes."""

    def remember(self, uti: str, sign_in: SignIn) -> None:
        """The token of that id came of this sign-in."""
        self._by_token[uti] = sign_in

    def behind(self, uti: object) -> SignIn:
        """The sign-in that a token came of; one with a password alone where none is known."""
        return self._by_token.get(str(uti), SignIn())

    def check(self, person_id: str, sign_in: SignIn, claims: str | None) -> None:
        """Refuse a token for Azure where the person has to be asked for more first; `claims` are asked for by the client."""
        demand = self.demands.get(person_id)
        if demand is not None and not sign_in.mfa:
            raise _interaction(demand, _policies(person_id))
        missing = wanted_contexts(claims) - sign_in.contexts
        if missing:
            raise _interaction(Demand.MFA, contexts_wanted(missing))


def wanted_contexts(claims: str | None) -> frozenset[str]:
    """The authentication contexts that a claims request wants in the access token."""
    if not claims:
        return frozenset()
    acrs = json.loads(claims).get("access_token", {}).get("acrs") or {}
    return frozenset(acrs.get("values") or ([acrs["value"]] if "value" in acrs else []))


def wants_mfa(claims: str | None) -> bool:
    """Whether a claims request names policies that a token without a second factor does not meet."""
    return bool(claims) and "polids" in json.loads(claims or "{}").get("access_token", {})


def contexts_wanted(contexts: frozenset[str]) -> str:
    """The claims request for them."""
    return json.dumps({"access_token": {"acrs": {"essential": True, "values": sorted(contexts)}}})


def _policies(person_id: str) -> str:
    """The claims request that names the policy that stands against the token."""
    policy = str(uuid5(NAMESPACE_OID, f"{person_id}/conditional-access"))
    return json.dumps({"access_token": {"polids": {"essential": True, "values": [policy]}}})


def _interaction(demand: Demand, claims: str) -> EntraError:
    number, what = (50079, "enroll in") if demand is Demand.ENROL else (50076, "use")
    text = (
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        f"{what} multi-factor authentication to access '797f4846-ba00-4fd7-ba43-dac1f8f63013'."
    )
    return EntraError(400, "interaction_required", number, text, suberror="basic_action", claims=claims)
