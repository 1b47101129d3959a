"""ISO 8601 durations as Entra writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.durations import days_of


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("P1D", 1),
        ("P180D", 180),
        ("P6M", 180),
        ("P1Y", 365),
        ("P1Y2M3W4D", 365 + 60 + 21 + 4),
        ("P2W", 14),
        ("PT8H", 8 / 24),
        ("PT30M", 30 / 1440),
        ("P1DT12H", 1.5),
        ("PT31536000S", 365),
        ("P0D", 0),
    ],
)
def test_a_duration_is_read_in_days(text: str, days: float) -> None:
    assert days_of(text) == pytest.approx(days)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "1D",
        "p1d",
        "P-1D",
        "-P1D",
        "P1.5D",
        "P1D ",
        " P1D",
        "P1H",
        "PT1D",
        "P1D1Y",
        "180.00:00:00",
    ],
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert days_of(text) is None


@pytest.mark.parametrize("digits", ["9" * 10, "9" * 5000, "\u0661", "\uff11"], ids=["ten", "many", "arabic", "wide"])
def test_numbers_that_nobody_means_are_no_duration(digits: str) -> None:
    """Python refuses to read thousands of digits with an exception, and reads digits of every script."""
    assert days_of(f"P{digits}D") is None


@given(st.text())
def test_no_text_at_all_raises(text: str) -> None:
    found = days_of(text)

    assert found is None or found >= 0
