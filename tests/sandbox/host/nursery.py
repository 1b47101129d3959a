"""The zygote itself: imports done, no connection open, no thread started, it forks app processes on command.

`python -m tests.sandbox.host.nursery <control socket> <folder of an app, or ""> <module>...`, run by Zygote. It serves until
its parent is gone.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

import msgspec

from tests.sandbox import deployed
from tests.sandbox.host.messages import Done, Order, receive_line
from tools.layout import SITE

_PR_SET_PDEATHSIG = 1
_APP, _SDK = "shared", "msgraph"
_LATE = ("anyio._backends._asyncio", "httpcore")
"""What httpx imports with its first request: of the app's own packages, as all that is imported late."""


class Nursery:
    """The zygote's own side: forks on command, reaps, answers."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._living: set[int] = set()
        self._ended: dict[int, int] = {}

    def serve(self) -> None:
        woken, waker = socket.socketpair()
        woken.setblocking(False)  # noqa: FBT003
        waker.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        self._say(Done(pid=os.getpid()))
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(4096)
                    self._reap()
                elif not self._obey(forget=(woken, waker, selector)):
                    return

    def _obey(self, forget: tuple[socket.socket, socket.socket, selectors.BaseSelector]) -> bool:
        text, descriptors = receive_line(self._control)
        if not text:
            return False
        order = msgspec.json.decode(text, type=Order)
        if order.kill:
            done = Done(pid=order.kill, status=self._kill(order.kill))
        else:
            pid = os.fork()
            if pid == 0:
                for thing in (*forget, self._control):
                    thing.close()
                _become_app(order, descriptors[0])
            os.close(descriptors[0])
            self._living.add(pid)
            done = Done(pid=pid)
        self._say(done)
        return True

    def _say(self, done: Done) -> None:
        with contextlib.suppress(ConnectionError):  # nobody listens any more: the next read says so
            self._control.sendall(msgspec.json.encode(done) + b"\n")

    def _kill(self, pid: int) -> int:
        self._reap()
        if pid in self._living:
            os.kill(pid, signal.SIGKILL)
            self._ended[pid] = os.waitpid(pid, 0)[1]
            self._living.discard(pid)
        return self._ended.pop(pid, 0)

    def _reap(self) -> None:
        for pid in list(self._living):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._living.discard(pid)
                self._ended[pid] = status


def _die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)


def _become_app(order: Order, channel: int) -> None:
    """In the fork: take on log, directory and environment, run the app, never return."""
    try:
        _die_with_parent(_NURSERY_PID)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.environ.clear()
        os.environ.update(order.environment)
        os.chdir(order.directory)
        _find_first(order.directory)
        app = importlib.import_module("tests.sandbox.host.app")
        app.run(socket.socket(fileno=channel), Path(order.directory), order.install)
    except BaseException:  # noqa: BLE001 - a fork must never run on into the zygote's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _find_first(directory: str) -> None:
    """The app's modules are those of its folder, and what its package lacks is not found elsewhere."""
    if sys.path[0] == directory:
        return
    _forget_app()
    sys.path.insert(0, directory)
    deployed.leave_alone(Path(directory))


def _forget_app() -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == _APP]:
        del sys.modules[name]


def _warm_app(directory: str) -> None:
    """Nothing happens at import: a fork that finds the modules there is as one that imports them."""
    _find_first(directory)
    importlib.import_module("tests.sandbox.host.app").parse_alike_once()
    try:
        _import_all(directory)
    except Exception:  # noqa: BLE001 - the app is broken: its fork says how, to who waits for it
        _forget_app()


def _import_all(directory: str) -> None:
    for name in _LATE:
        importlib.import_module(name)
    # Of the SDK a package has no more than the app reaches. As it is installed for development it is ten times that.
    for top in (_APP, *([_SDK] if (Path(directory) / SITE).is_dir() else [])):
        [folder] = importlib.import_module(top).__path__
        for file in sorted(Path(folder).rglob("*.py*")):
            parts = file.relative_to(folder).with_suffix("").parts
            if "__pycache__" not in parts:
                importlib.import_module(".".join([top, *parts]).removesuffix(".__init__"))


def main() -> None:
    """Import, then serve until the control socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, control, app, *modules = sys.argv
    for module in modules:
        importlib.import_module(module)
    if app:
        _warm_app(app)
    if threading.active_count() != 1:
        raise RuntimeError(f"an import started a thread: {threading.enumerate()}")
    gc.collect()
    gc.freeze()
    Nursery(socket.socket(fileno=int(control))).serve()
    # The forks die as this process does, by their parent-death signal.


_NURSERY_PID = os.getpid()

if __name__ == "__main__":
    main()
