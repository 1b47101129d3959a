"""The handle on a warmed parent process, whose forks are the app processes: imports are done once.

It ends when this process ends, however that happens (the control socket closes), and its forks are killed with it.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from tests.sandbox.host.messages import Done, Order, receive_line

WARM = (
    "aiohttp",
    "azure.data.tables.aio",
    "azure.durable_functions",
    "azure.functions",
    "azure.identity",
    "azure.identity.aio",
    "azure_functions_runtime",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "httpx",
    "jwt",
    "kiota_http.httpx_request_adapter",
    "msgraph",
    "tests.sandbox.host.app",
)
_ROOT = Path(__file__).resolve().parents[3]


class Zygote:
    """The parent's handle on the warmed process. One serves any number of hosts, in any event loop of this process."""

    def __init__(
        self, warm: Sequence[str] = WARM, environment: Mapping[str, str] | None = None, app: Path | None = None
    ) -> None:
        """Start it. `environment` is added: what an import reads once (trusted certificates) must be there by then.

        `app`: the folder of the app that most forks will be. Its own modules are imported, too, not `function_app.py`, and
        what the SDKs parse again and again is kept. None for benchmarks: a deployed app starts with nothing of that.
        """
        self._lock = threading.Lock()
        self._warmed = False
        self._control, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C in the terminal reaches us only, and we close the socket.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.sandbox.host.nursery", str(theirs.fileno()), str(app or ""), *warm],
                cwd=_ROOT,
                # With compiled files, as an app is deployed: each fork would compile all of it anew.
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process itself."""
        return self._process.pid

    def wait_until_warm(self) -> None:
        """Block until the imports are done; at once if they are."""
        with self._lock:
            if not self._warmed:
                self._answer()
                self._warmed = True

    def fork(self, order: Order, channel: socket.socket) -> int:
        """Fork an app process that speaks through the channel. Blocks for some milliseconds."""
        self.wait_until_warm()
        with self._lock:
            text = msgspec.json.encode(order)
            socket.send_fds(self._control, [text[:1]], [channel.fileno()])
            self._control.sendall(text[1:] + b"\n")
            return self._answer().pid

    def kill(self, pid: int) -> int:
        """SIGKILL one of the forks and wait for its end; gives its wait status. Safe when it has ended already."""
        with self._lock:
            try:
                self._control.sendall(msgspec.json.encode(Order(kill=pid)) + b"\n")
                return self._answer().status
            except (OSError, RuntimeError):  # the zygote is gone, and its forks with it
                return 0

    def close(self) -> None:
        """End it and with it all its forks."""
        self._control.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> Done:
        text, _ = receive_line(self._control)
        if not text:
            raise RuntimeError("the zygote ended")
        return msgspec.json.decode(text, type=Done)
