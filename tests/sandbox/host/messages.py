"""What the driver and the app's process say to each other: JSON messages, each after its length.

Also the order by which the zygote forks an app process.
"""

import asyncio
import socket
import struct

import msgspec

_LENGTH = struct.Struct("!I")


class Order(msgspec.Struct, frozen=True):
    """What the zygote is to do: fork an app process, or kill one."""

    kill: int = 0
    directory: str = ""
    environment: dict[str, str] = {}
    log: str = ""
    install: str = ""


class Done(msgspec.Struct, frozen=True):
    """The zygote's answer: the process, or how it ended."""

    pid: int
    status: int = 0


class HttpRequest(msgspec.Struct, frozen=True):
    """An HTTP request, as the worker library takes it."""

    method: str
    url: str
    headers: dict[str, str]
    params: dict[str, str]
    query: dict[str, str]
    body: bytes


class HttpAnswer(msgspec.Struct, frozen=True):
    """What an HTTP function answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Invoke(msgspec.Struct, frozen=True, tag="invoke"):
    """Run a function. Inputs are JSON or plain text by parameter name, and the request for HTTP functions."""

    number: int
    function: str
    name: str = ""
    json: dict[str, str] = {}
    text: dict[str, str] = {}
    http: tuple[str, HttpRequest] | None = None
    twice: bool = False


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """How it ended; `second` is the result of the second run, if it was asked for."""

    number: int
    error: str | None = None
    trace: str = ""
    result: str | None = None
    second: str | None = None
    http: HttpAnswer | None = None


class Function(msgspec.Struct, frozen=True):
    """A function that the worker found in the app."""

    name: str
    function_id: str
    bindings: list[str]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The app is indexed, or failed to load."""

    functions: list[Function]
    error: str | None = None


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """The app moved the shared clock."""


type FromApp = Answer | Ready | Moved

_from_app: msgspec.json.Decoder[FromApp] = msgspec.json.Decoder(Answer | Ready | Moved)
_to_app = msgspec.json.Decoder(Invoke)


def framed(message: msgspec.Struct) -> bytes:
    """The message as it goes over the wire."""
    payload = msgspec.json.encode(message)
    return _LENGTH.pack(len(payload)) + payload


async def _read(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


async def read_from_app(reader: asyncio.StreamReader) -> FromApp:
    """The next message of the app's process; raises IncompleteReadError or ConnectionError when it is gone."""
    return _from_app.decode(await _read(reader))


async def read_to_app(reader: asyncio.StreamReader) -> Invoke:
    """The driver's next message; raises as above."""
    return _to_app.decode(await _read(reader))


def receive_line(control: socket.socket) -> tuple[bytes, list[int]]:
    """One line and the descriptors that came with it; an empty line means that the other side is gone."""
    text, descriptors = b"", list[int]()
    while not text.endswith(b"\n"):
        try:
            more, passed, _, _ = socket.recv_fds(control, 65536, 1)
        except ConnectionError:
            more, passed = b"", []
        if not more:
            return b"", descriptors
        text += more
        descriptors += passed
    return text, descriptors
