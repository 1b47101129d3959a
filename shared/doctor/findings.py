"""What the doctor found: of a fact, by one look at one place, and of the deployment's health. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from shared.doctor.azure_facts import AZURE_FACTS
from shared.doctor.facts import LIVES_WITH_BOTH, Fact, Way
from shared.doctor.graph_facts import GRAPH_FACTS

FACTS: dict[str, Fact] = {one.id: one for one in (*GRAPH_FACTS, *AZURE_FACTS)}
AS_PERSON = frozenset(one.id for one in FACTS.values() if one.way is not Way.CHANGE and not one.takes_app)
"""What a person's delegated token settles, too."""


class Answer(StrEnum):
    """How a fact stands. `OPEN`: there was nothing to tell it by. `BARRED`: it could not be asked, and a person can help.
    `AS_APP`: it takes the app's identity, and the doctor ran as a person. `BY_HAND`: only a change would tell.
    """

    LIKELY = "likely"
    OTHER = "other"
    OPEN = "open"
    BARRED = "barred"
    AS_APP = "asApp"
    BY_HAND = "byHand"


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one look says of a fact. `where`: a tenant's or a subscription's id."""

    fact: str
    answer: Answer
    told: str
    where: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that has to be so for the deployment to work. `do`: what a person does where it is not."""

    name: str
    sound: bool
    told: str
    do: str = ""


class Judged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A fact with all that was found of it, the most telling first. `settled` and `as_whom`: how, and by which identity."""

    id: str
    question: str
    settled: str
    as_whom: str
    answer: Answer
    told: str
    depends: tuple[str, ...]
    page: str
    do: str = ""
    found: tuple[Finding, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that the doctor says."""

    checks: tuple[Check, ...]
    facts: tuple[Judged, ...]

    @property
    def to_do(self) -> tuple[str, ...]:
        """What a person has to do, each once, in the order in which it came up."""
        said = [one.do or one.told for one in self.checks if not one.sound]
        said += [one.do or one.told for one in self.facts if one.answer is Answer.BARRED or one.do]
        return tuple(dict.fromkeys(said))

    @property
    def exit_code(self) -> int:
        """0 where nobody has to do anything."""
        return 1 if self.to_do else 0


_TELLING = (Answer.OTHER, Answer.LIKELY, Answer.BARRED, Answer.AS_APP, Answer.OPEN)


def likely(fact: str, told: str) -> Finding:
    """The answer that the sources make likelier holds."""
    return Finding(fact=fact, answer=Answer.LIKELY, told=told)


def other(fact: str, told: str) -> Finding:
    """The other one holds."""
    return Finding(fact=fact, answer=Answer.OTHER, told=told)


def either(fact: str, told: str, *, is_other: bool) -> Finding:
    """One of the two."""
    return other(fact, told) if is_other else likely(fact, told)


def unsettled(facts: Iterable[str], told: str) -> list[Finding]:
    """Nothing there to tell them by."""
    return [Finding(fact=one, answer=Answer.OPEN, told=told) for one in facts]


def barred(facts: Iterable[str], told: str) -> list[Finding]:
    """They could not be asked."""
    return [Finding(fact=one, answer=Answer.BARRED, told=told) for one in facts]


def as_app(facts: Iterable[str], told: str) -> list[Finding]:
    """They take the app's identity, and the doctor runs as a person."""
    return [Finding(fact=one, answer=Answer.AS_APP, told=told) for one in facts]


def left_to_app() -> list[Finding]:
    """Every fact that no person settles, with the reason."""
    facts = [one for one in FACTS.values() if one.takes_app]
    return [finding for one in facts for finding in as_app([one.id], f"it takes the app's identity: {one.takes_app}")]


def judge(found: Sequence[Finding]) -> tuple[Judged, ...]:
    """Every fact, with what was found of it."""
    return tuple(_judged(fact, [one for one in found if one.fact == fact.id]) for fact in FACTS.values())


def _judged(fact: Fact, found: list[Finding]) -> Judged:
    ordered = sorted(found, key=lambda one: _TELLING.index(one.answer))
    if fact.way is Way.CHANGE:
        answer, told = Answer.BY_HAND, f"{LIVES_WITH_BOTH}. By hand: {fact.look}"
    elif not ordered:
        answer, told = Answer.OPEN, "nothing was named to tell it by"
    else:
        answer, told = ordered[0].answer, ordered[0].told
    return Judged(
        id=fact.id,
        question=fact.question,
        settled=fact.way.value,
        as_whom=fact.as_whom,
        answer=answer,
        told=told,
        depends=fact.depends,
        page=fact.page,
        do=fact.then if answer is Answer.OTHER else "",
        found=tuple(ordered),
    )
