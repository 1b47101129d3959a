"""Ending tidily: a world that is told to stop takes everything that it started with it."""

import asyncio
import os
import signal

_LOOK_AFTER_PARENT_EVERY_SECONDS = 0.5


def end_tidily_when_told() -> None:
    """Cancel the running task on SIGTERM and SIGHUP, as asyncio does by itself on Ctrl-C, and when the parent is gone.

    The parent is make or a shell: one that was killed outright can tell nobody.
    """
    loop, task, parent = asyncio.get_running_loop(), asyncio.current_task(), os.getppid()
    if task is None:
        raise RuntimeError("there is no task to cancel")
    for told in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(told, task.cancel)

    def look() -> None:
        if os.getppid() != parent:
            task.cancel()
        else:
            loop.call_later(_LOOK_AFTER_PARENT_EVERY_SECONDS, look)

    look()
