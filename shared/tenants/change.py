"""A change of a tenant: what pure decisions hand to the store. Pure."""

from collections.abc import Sequence

import msgspec

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId
from shared.subjects import Intent
from shared.tenants.findings import Feature, Proof, SignIn
from shared.tenants.record import Act, Analyst, Consent, Health, Record


class Change(msgspec.Struct, frozen=True, kw_only=True):
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
