"""The proof by hunting: what is asked next, what is proved, what is said."""

from typing import Any

import msgspec
import pytest

from shared.onboarding.proving import is_proven, shown, summary, to_ask, warnings
from shared.rows import ENTITY_BYTES, encode
from shared.saved_queries import MOST_ROWS, PROOF
from shared.tenants.findings import Answered, Feature, Proof
from tests.unit.making import NOON


def answered(number: int, *, rows: int = 1, problem: str = "") -> Answered:
    query = PROOF[number]
    found = tuple((f"row {at}", at) for at in range(rows)) if not problem else ()
    return Answered(query=query.name, at=NOON, columns=query.columns, rows=found, problem=problem)


def proof(*answers: Answered, asked: bool = True) -> Proof:
    return Proof(feature=Feature.HUNTING, run=1, since=NOON, asked=asked, answers=answers)


def test_queries_are_asked_one_by_one() -> None:
    assert to_ask(proof()) is PROOF[0]
    assert to_ask(proof(answered(0))) is PROOF[1]
    assert to_ask(proof(answered(0), answered(2))) is PROOF[1]
    assert to_ask(proof(*map(answered, range(len(PROOF))))) is None


@pytest.mark.parametrize(
    ("found", "proven", "words"),
    [
        (proof(asked=False), False, "not asked for"),
        (proof(), False, "0 of 3 queries"),
        (proof(answered(0)), False, "1 of 3 queries"),
        (proof(answered(0), answered(1), answered(2)), True, "proven: 3"),
        (proof(answered(0), answered(1, rows=0), answered(2, rows=0)), True, "proven: 3"),
        (proof(answered(0, rows=0), answered(1), answered(2)), False, "knows no device"),
        (proof(answered(0), answered(1), answered(2, problem="no")), False, "no answer to 1 of 3"),
        (proof(*(answered(number, problem="no") for number in range(3))), False, "no answer to 3 of 3"),
    ],
)
def test_only_answers_with_devices_prove_it(found: Proof, proven: Any, words: str) -> None:
    assert is_proven(found) is proven
    assert words in summary(found)


def test_a_proof_that_failed_is_a_warning_and_one_that_was_not_asked_for_or_is_under_way_is_none() -> None:
    failed = proof(answered(0), answered(1, problem="no licence."), answered(2, problem="no licence."))

    [warning] = warnings(failed)
    assert warning.startswith("Hunting: not proven: no answer to 2 of 3")
    assert warning.endswith("no licence.")
    assert warning.count("no licence.") == 1
    assert warnings(None) == warnings(proof(asked=False)) == warnings(proof(answered(0))) == []


def test_the_most_that_is_kept_fits_into_a_row() -> None:
    rows = tuple(("\U0001f512" * 200, 10**12) for _ in range(MOST_ROWS))
    answers = tuple(Answered(query=query.name, at=NOON, columns=query.columns, rows=rows) for query in PROOF)

    assert len(encode(proof(*answers))) < ENTITY_BYTES


def test_every_query_looks_at_a_bounded_time_gives_bounded_rows_and_says_what_it_tells() -> None:
    for query in PROOF:
        assert "Timestamp > ago(" in query.text
        assert f"| top {MOST_ROWS} by " in query.text
        assert query.timespan.removeprefix("P").lower() in query.text
        assert query.tells
        assert query.columns[-1] in query.text
    assert len({query.name for query in PROOF}) == len(PROOF)


def test_what_is_shown_says_what_each_query_tells() -> None:
    seen: Any = msgspec.to_builtins(shown(proof(answered(0), answered(1, problem="no"))))

    assert (seen["feature"], seen["proven"], seen["summary"]) == ("hunting", False, "2 of 3 queries")
    assert [one["tells"] for one in seen["queries"]] == [PROOF[0].tells, PROOF[1].tells]
    assert [one["problem"] for one in seen["queries"]] == [None, "no"]
    assert seen["queries"][0]["rows"] == (("row 0", 0),)
    assert shown(None) is None
