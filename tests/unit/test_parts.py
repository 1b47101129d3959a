"""What CI leaves out of the matrix: a third of it, which is another one in turn, and nothing for good."""

from collections import Counter

import pytest

from tests.conftest import is_of_part

_TESTS = [f"tests/flows/test_kills.py::test_a_kill[{number}]" for number in range(300)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_test_is_of_one_part_and_the_parts_are_alike(count: int) -> None:
    parts = [f"{number}/{count}" for number in range(1, count + 1)]

    sizes = Counter(part for part in parts for one in _TESTS if is_of_part(one, part))

    assert all(sum(is_of_part(one, part) for part in parts) == 1 for one in _TESTS)
    assert min(sizes.values()) > len(_TESTS) / count / 2


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "1/0", "one/3", "1/3/2"])
def test_a_part_that_is_none_is_refused_by_its_name(part: str) -> None:
    with pytest.raises(pytest.UsageError, match=r"^WITHOUT: a part as 1/3"):
        is_of_part(_TESTS[0], part)
