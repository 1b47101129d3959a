"""Rows as entities: a body of any size and script comes back as it was, within the limits of Table Storage."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.rows import ENTITY_BYTES, PROPERTY_CHARACTERS, Row, encode, from_entity, to_entity

_PROPERTY_BYTES = 64 * 1024
_ENTITY_BYTES = 1024 * 1024


def row(value: object) -> Row:
    return Row(partition="p", key="record", body=encode(value), nonce="n")


def utf16(text: object) -> int:
    return len(str(text).encode("utf-16-le"))


@given(st.text(), st.integers(min_value=1, max_value=40_000))
@example("\U0001f600", 40_000)
@example("x", PROPERTY_CHARACTERS)
@example("", 1)
def test_a_body_comes_back_as_it_was(text: str, times: int) -> None:
    wanted = row((text * times)[:39_000])

    found = from_entity(to_entity(wanted))

    assert wanted.body == found.body
    assert (wanted.partition, wanted.key, wanted.nonce) == (found.partition, found.key, found.nonce)


@pytest.mark.parametrize("character", ["x", "\u00e4", "\u20ac", "\U0001f600", '"', "\n"])
def test_the_largest_row_keeps_to_the_limits_of_the_store(character: str) -> None:
    """64 KiB a property, 1 MiB an entity, both in UTF-16."""
    largest = (ENTITY_BYTES - 2) // (len(msgspec.json.encode(character)) - 2)

    entity = to_entity(row(character * largest))

    assert max(utf16(value) for value in entity.values()) <= _PROPERTY_BYTES
    assert sum(utf16(name) + utf16(value) for name, value in entity.items()) <= _ENTITY_BYTES
    assert len(entity) <= 252
    with pytest.raises(ValueError, match="does not fit"):
        row(character * (largest + 1))


def test_columns_stand_beside_the_body() -> None:
    wanted = Row(partition="p", key="k", body=b"{}", nonce="n", columns={"state": "Ready"})

    assert from_entity(to_entity(wanted)).columns == {"state": "Ready"}
