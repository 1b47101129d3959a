"""What a trigger may ask of orchestrations, wherever they run."""

from typing import Protocol

from shared.run import StartOrchestration


class Orchestrations(Protocol):
    """`start` None: they run in another app, whose sweeper starts what has a row."""

    @property
    def start(self) -> StartOrchestration | None:
        """Starts one. Raises NotStarted."""
        ...

    async def wake(self, orchestration_id: str) -> None:
        """Wake one. One that is not there needs no waking."""
        ...
