"""Where the fixture app keeps the clock that the driver installs."""

from typing import Any


class Installed:
    """What one process holds."""

    clock: Any = None


def install(*, clock: Any) -> None:
    """Called by the driver before `function_app` is loaded."""
    Installed.clock = clock
