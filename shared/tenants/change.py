"""A change of a tenant: what pure decisions hand to the store, and the keys of what they change. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.identifiers import ObjectId
from shared.tenants.findings import Feature, Proof, SignIn
from shared.tenants.record import Act, Analyst, Consent, Eligibility, Health, Intent, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write: the record, and any rows beside it. Keys are the store's business."""

    record: Record
    acts: Sequence[Act] = ()
    analysts: Sequence[Analyst] = ()
    eligibilities: Sequence[Eligibility] = ()
    consents: Sequence[Consent] = ()
    intents: Sequence[Intent] = ()
    sign_in: SignIn | None = None
    proofs: Sequence[Proof] = ()
    health: Health | None = None
    forgotten_analysts: Sequence[ObjectId] = ()
    forgotten_eligibilities: Sequence[str] = ()
    forgotten_intents: Sequence[str] = ()
    forgotten_proofs: Sequence[Feature] = ()
    forgets_sign_in: bool = False
    forgets_health: bool = False


def intent_key(where: str, object_name: str) -> str:
    """The key of an intent: of tenant and object, never of the run."""
    return hashlib.sha256(f"{where}|{object_name}".encode()).hexdigest()[:32]


def eligibility_key(principal_id: str, role_definition_id: str) -> str:
    """The key of an eligibility."""
    return hashlib.sha256(f"{principal_id}|{role_definition_id}".encode()).hexdigest()[:32]
