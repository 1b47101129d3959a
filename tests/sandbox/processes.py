"""Ending tidily: a world that is told to stop takes everything that it started with it."""

import asyncio
import signal


def end_tidily_when_told() -> None:
    """Cancel the running task on SIGTERM and SIGHUP, as asyncio does by itself on Ctrl-C."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise RuntimeError("there is no task to cancel")
    for told in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(told, task.cancel)
