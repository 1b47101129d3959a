"""The parts in which CI runs the matrix: each has a third of every kind of test, and together they are all of it."""

import pytest

from tests.choosing import of_part

_TESTS = [f"tests/flows/test_{module}.py::test_a_kill[{number}]" for module in "ab" for number in range(31)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_test_is_of_one_part_and_each_part_has_as_many_of_every_function(count: int) -> None:
    parts = [of_part(_TESTS, f"{number}/{count}") for number in range(1, count + 1)]

    assert sorted(one for part in parts for one in part) == sorted(_TESTS)
    for module in "ab":
        sizes = {len([one for one in part if f"test_{module}.py" in one]) for part in parts}
        assert sizes <= {31 // count, 31 // count + 1}


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "1/0", "one/3", "1/3/2"])
def test_a_part_that_is_none_is_refused_by_its_name(part: str) -> None:
    with pytest.raises(pytest.UsageError, match=r"^PART: a part as 1/3"):
        of_part(_TESTS, part)
