"""The audit chain: whatever is done to a stored entry, the verifier says which one."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.chain import Deed, Entry, Unreadable, broken, sealed, verify
from shared.errors import ChainBroken
from tests.unit.making import NOON, SOURCE, TARGET

_TEXTS = ("registration", "on_whose_word", "tenant_id", "what", "why", "object_name", "outcome", "request_id")


def deed(number: int, **changes: Any) -> Deed:
    first = Deed(
        at=NOON + timedelta(seconds=number),
        registration="Tenantry Setup",
        on_whose_word="olga",
        tenant_id=TARGET,
        act=3,
        run=1,
        what=f"deed {number}",
        why="act 3 of run 1",
        object_name="partner",
        wanted=msgspec.Raw(b'{"a":1}'),
        before=msgspec.Raw(b"null"),
        outcome="done",
        request_id=f"request-{number}",
    )
    return msgspec.structs.replace(first, **changes)


def chain(length: int, subject: str = TARGET) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        entries.append(sealed(subject, number, entries[-1].hash if entries else "0" * 64, deed(number)))
    return entries


lengths = st.integers(min_value=1, max_value=8)


@given(lengths)
def test_a_chain_that_nobody_touched_verifies_also_after_storage(length: int) -> None:
    entries = [msgspec.json.decode(msgspec.json.encode(entry), type=Entry) for entry in chain(length)]

    verify(entries)


@given(lengths, st.data(), st.sampled_from(_TEXTS), st.text(max_size=20))
def test_a_changed_deed_is_found(length: int, data: st.DataObject, field: str, text: str) -> None:
    entries = chain(length)
    at = data.draw(st.integers(min_value=0, max_value=length - 1))
    changed = msgspec.structs.replace(entries[at].deed, **{field: text})
    if changed == entries[at].deed:
        return
    entries[at] = msgspec.structs.replace(entries[at], deed=changed)

    with pytest.raises(ChainBroken, match=rf"entry {at + 1}$"):
        verify(entries)


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": msgspec.Raw(b'{"a":2}')},
        {"before": msgspec.Raw(b'{"a":1}')},
        {"at": NOON},
        {"act": 9},
        {"run": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_image_time_or_number_is_found(change: dict[str, Any]) -> None:
    entries = chain(3)
    entries[1] = msgspec.structs.replace(entries[1], deed=deed(2, **change))

    with pytest.raises(ChainBroken, match=r"entry 2$"):
        verify(entries)


@given(st.integers(min_value=2, max_value=8), st.data())
def test_a_changed_entry_that_was_sealed_anew_breaks_the_next_one(length: int, data: st.DataObject) -> None:
    entries = chain(length)
    at = data.draw(st.integers(min_value=0, max_value=length - 2))
    entries[at] = sealed(TARGET, at + 1, entries[at].previous, deed(at + 1, on_whose_word="somebody else"))

    with pytest.raises(ChainBroken, match=rf"entry {at + 2}$"):
        verify(entries)


@given(st.integers(min_value=2, max_value=8), st.data())
def test_a_missing_a_doubled_and_a_swapped_entry_are_found(length: int, data: st.DataObject) -> None:
    entries = chain(length)
    at = data.draw(st.integers(min_value=0, max_value=length - 2))
    without = entries[:at] + entries[at + 1 :]
    doubled = [*entries[: at + 1], *entries[at:]]
    swapped = [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]]

    for tampered in (without, doubled, swapped):
        with pytest.raises(ChainBroken):
            verify(tampered)


def test_an_entry_of_another_subject_is_found() -> None:
    entries = chain(3)
    entries[1] = chain(3, subject=SOURCE)[1]

    with pytest.raises(ChainBroken):
        verify(entries)


def test_a_stranger_s_entry_at_the_end_is_found_unless_it_continues_the_chain() -> None:
    entries = chain(2)

    with pytest.raises(ChainBroken):
        verify([*entries, sealed(TARGET, 3, "0" * 64, deed(3))])
    with pytest.raises(ChainBroken):
        verify([*entries, sealed(TARGET, 4, entries[-1].hash, deed(3))])


@given(lengths, st.data())
def test_the_newest_part_of_a_chain_that_nobody_touched_holds(length: int, data: st.DataObject) -> None:
    newest = list(reversed(chain(length)))[: data.draw(st.integers(min_value=0, max_value=length))]

    assert broken(newest) == ""


@given(lengths, st.data(), st.sampled_from(_TEXTS))
def test_an_altered_entry_among_the_newest_is_told(length: int, data: st.DataObject, field: str) -> None:
    entries = chain(length)
    at = data.draw(st.integers(min_value=0, max_value=length - 1))
    deed_of = msgspec.structs.replace(entries[at].deed, **{field: "altered"})
    entries[at] = msgspec.structs.replace(entries[at], deed=deed_of)

    assert broken(list(reversed(entries))) == f"entry {at + 1}"


def test_an_entry_that_is_gone_or_unreadable_is_told() -> None:
    one, two, three = chain(3)

    assert broken([three, one]) == "entry 2"
    assert broken([three, Unreadable(subject=TARGET, key="k"), one]) == "row k"
    assert broken([three, two], whole=True) == "entry 1"
    assert broken([three, two, one], whole=True) == ""
    assert broken([two, msgspec.structs.replace(one, previous="1" * 64)]) == "entry 1"
    assert broken([]) == ""
