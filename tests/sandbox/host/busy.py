"""Counts what is running or queued, so that someone can wait for quiet."""

from collections.abc import Callable
from typing import Self


class Busy:
    """A context manager that may be entered any number of times at once. `on_turn`: the first came, or the last left."""

    def __init__(self, on_turn: Callable[[], None]) -> None:
        self.count = 0
        self.entered = 0
        self._on_turn = on_turn

    def __enter__(self) -> Self:
        self.count += 1
        self.entered += 1
        if self.count == 1:
            self._on_turn()
        return self

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if self.count == 0:
            self._on_turn()
