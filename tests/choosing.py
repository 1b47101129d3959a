"""Which tests are long, and which are of a part of them all: always the same ones, whatever order they come in."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

SAMPLED = "sampled"


def mark_long(items: list[pytest.Item]) -> None:
    """Of a module that is `sampled(count)`, all but that many tests are `long`; always the same ones stay."""
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker(SAMPLED) and not item.get_closest_marker("matrix"):
            modules.setdefault(item.path, []).append(item)
    for sampled in modules.values():
        [count] = sampled[0].iter_markers(SAMPLED)
        for item in sorted(sampled, key=lambda item: _chance(item.nodeid))[count.args[0] :]:
            item.add_marker("long")


def of_part(nodeids: Iterable[str], part: str) -> set[str]:
    """The tests of part 2/3, say: of every test function as many cases as of the other parts. Raises UsageError."""
    found = re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", part)
    if found is None or int(found[1]) > int(found[2]):
        raise pytest.UsageError(f"PART: a part as 1/3 or 3/3, not {part}")
    number, count = int(found[1]), int(found[2])
    functions: dict[str, list[str]] = {}
    for nodeid in nodeids:
        functions.setdefault(nodeid.partition("[")[0], []).append(nodeid)
    return {
        case
        for function, cases in functions.items()
        for rank, case in enumerate(sorted(cases, key=_chance), int.from_bytes(_chance(function)))
        if rank % count == number - 1
    }


def _chance(nodeid: str) -> bytes:
    return hashlib.sha256(nodeid.encode()).digest()
