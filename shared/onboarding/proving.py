"""How far the proof by hunting has come, and what is said of it. Pure.

What is proved: that the target's Defender data can be queried. Not: that an analyst sees it, which only a person can say.
"""

from shared.onboarding.answers import ProofView, QueryView
from shared.saved_queries import DEVICES_BY_PLATFORM, PROOF, SavedQuery
from shared.tenants.findings import Answered, Proof

_NOT_ASKED = "not proven: the feature hunting was not asked for"


def to_ask(proof: Proof) -> SavedQuery | None:
    """The next query that has no answer yet."""
    answered = {one.query for one in proof.answers}
    return next((query for query in PROOF if query.name not in answered), None)


def is_proven(proof: Proof) -> bool:
    """Whether every query was answered, and Defender knows a device."""
    devices = [one for one in proof.answers if one.query == DEVICES_BY_PLATFORM.name and one.rows]
    return to_ask(proof) is None and bool(devices) and not _unanswered(proof)


def summary(proof: Proof) -> str:
    """One line on how it stands."""
    if not proof.asked:
        return _NOT_ASKED
    if to_ask(proof) is not None:
        return f"{len(proof.answers)} of {len(PROOF)} queries"
    if unanswered := _unanswered(proof):
        names = ", ".join(one.query for one in unanswered)
        return f"not proven: no answer to {len(unanswered)} of {len(PROOF)} hunting queries ({names})"
    if not is_proven(proof):
        return "not proven: hunting answers, but Defender knows no device of this tenant"
    return f"proven: {len(PROOF)} hunting queries answered"


def warnings(proof: Proof | None) -> list[str]:
    """What of it belongs among the warnings of the record: a proof that was asked for and failed."""
    if proof is None or not proof.asked or to_ask(proof) is not None or is_proven(proof):
        return []
    why = dict.fromkeys(one.problem for one in _unanswered(proof))
    return [" ".join([f"Hunting: {summary(proof)}.", *why])]


def shown(proof: Proof | None) -> ProofView | None:
    """What the API shows of it."""
    if proof is None:
        return None
    return ProofView(
        feature=proof.feature,
        since=proof.since,
        proven=is_proven(proof),
        summary=summary(proof),
        queries=tuple(
            QueryView(
                name=one.query,
                tells=_tells(one),
                at=one.at,
                columns=one.columns,
                rows=one.rows,
                problem=one.problem or None,
            )
            for one in proof.answers
        ),
    )


def _tells(answered: Answered) -> str:
    return next((query.tells for query in PROOF if query.name == answered.query), "")


def _unanswered(proof: Proof) -> list[Answered]:
    return [one for one in proof.answers if one.problem]
