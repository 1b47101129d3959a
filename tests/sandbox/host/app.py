"""The app's process: Microsoft's Python worker library around `function_app.py`, spoken to through one socket.

It holds no state that matters: it may be killed at any moment. It ends itself when the driver is gone.
"""

import asyncio
import functools
import http.cookies
import importlib
import logging
import os
import random
import socket
import sys
from email import policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from tests.sandbox.clock import PATH_VARIABLE, SharedClock
from tests.sandbox.host.messages import (
    Answer,
    Function,
    HttpAnswer,
    HttpRequest,
    Invoke,
    Moved,
    Ready,
    framed,
    read_to_app,
)

_SECOND_RUN = "second-run-"
# What follows in the message of a failed orchestrator is for the host, not for people.
_STATE_MARK = "$OutOfProcData$:"
_ALIKE = 4096
_log = logging.getLogger("sandbox.host")


class _Message:
    """Stands for any protobuf message: keeps what it was made with."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class _Protos:
    """Stands for the protobuf module: every attribute is a message class, a few carry constants."""

    StatusResult = type("StatusResult", (_Message,), {"Success": 1, "Failure": 0})
    BindingInfo = type("BindingInfo", (_Message,), {"inout": 2, "out": 1, "undefined": -1})
    RpcHttpCookie = type(
        "RpcHttpCookie",
        (_Message,),
        {"SameSite": SimpleNamespace(**{"None": "", "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"})},
    )

    def __getattr__(self, name: str) -> type[_Message]:
        made = type(name, (_Message,), {})
        setattr(self, name, made)
        return made


class _Data:
    """A TypedData with one field set."""

    def __init__(self, kind: str, value: object) -> None:
        self._kind = kind
        setattr(self, kind, value)

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        return self._kind


def _named(name: str, data: _Data) -> SimpleNamespace:
    return SimpleNamespace(name=name, data=data, WhichOneof=lambda _: "data")


def _http(request: HttpRequest) -> _Data:
    return _Data(
        "http",
        SimpleNamespace(
            method=request.method,
            url=request.url,
            headers=request.headers,
            params=request.params,
            query=request.query,
            body=_Data("bytes", request.body),
        ),
    )


def _bytes_of(data: Any) -> bytes:
    for kind in ("bytes", "string", "json"):
        value = getattr(data, kind, None)
        if value is not None:
            return value if isinstance(value, bytes) else str(value).encode()
    return b""


def _cookie(cookie: Any) -> tuple[str, str]:
    jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie({cookie.name: cookie.value})
    morsel = jar[cookie.name]
    for ours, theirs in (("domain", "domain"), ("path", "path"), ("max-age", "max_age")):
        if (given := getattr(cookie, theirs)) is not None and given.value != "":
            morsel[ours] = str(int(given.value)) if ours == "max-age" else given.value
    for ours, theirs in (("secure", "secure"), ("httponly", "http_only")):
        if (given := getattr(cookie, theirs)) is not None:
            morsel[ours] = given.value
    morsel["samesite"] = cookie.same_site
    return "Set-Cookie", morsel.OutputString()


def _http_answer(value: Any) -> HttpAnswer:
    answer = getattr(value, "http", None)
    if answer is None:
        return HttpAnswer(
            200 if value is not None else 204, [("Content-Type", "text/plain; charset=utf-8")], _bytes_of(value)
        )
    headers = [(str(name), str(text)) for name, text in answer.headers.items()]
    headers += [_cookie(cookie) for cookie in answer.cookies or ()]
    return HttpAnswer(int(answer.status_code), headers, _bytes_of(answer.body))


async def _invoke(order: Invoke, invocation_id: str) -> Any:
    inputs = [_named(name, _Data("json", value)) for name, value in order.json.items()]
    inputs += [_named(name, _Data("string", value)) for name, value in order.text.items()]
    if order.http:
        inputs.append(_named(order.http[0], _http(order.http[1])))
    request = SimpleNamespace(
        invocation_id=invocation_id,
        function_id=order.function,
        input_data=inputs,
        trigger_metadata={},
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    return await runtime.invocation_request(SimpleNamespace(request=SimpleNamespace(invocation_request=request)))


def _result(answer: Any) -> tuple[str | None, str | None, str]:
    """Result, error and trace of one answer of the worker."""
    if answer.result.status == 1:
        value = answer.return_value
        return None if value is None else _bytes_of(value).decode(), None, ""
    raised = answer.result.exception
    return None, raised.message, raised.stack_trace


async def _answer(order: Invoke) -> Answer:
    first = await _invoke(order, f"{order.number}")
    result, error, trace = _result(first)
    if error is None and order.http:
        return Answer(order.number, http=_http_answer(first.return_value))
    if error is not None:
        said = error if _STATE_MARK not in error else error.partition(_STATE_MARK)[0].strip()
        _log.error("%s failed: %s\n%s", order.name, said, trace if said == error else "")
    second = None
    if order.twice:
        again, failed, _ = _result(await _invoke(order, f"{_SECOND_RUN}{order.number}"))
        second = again if failed is None else failed
    return Answer(order.number, error, trace, result, second)


class _NotTheSecondRun(logging.Filter):
    """The second run of an episode only checks the first: what it logs was said already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(runtime.invocation_id_cv.get()).startswith(_SECOND_RUN) and (
            record.name != "azure.functions" or record.levelno > logging.INFO
        )


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(_NotTheSecondRun())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


async def _load(directory: Path) -> Ready:
    if not (directory / "function_app.py").exists():
        return Ready([], f"there is no function_app.py in {directory}")
    init = SimpleNamespace(function_app_directory=str(directory), capabilities={})
    loaded = await runtime.worker_init_request(
        SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init),
            properties={"host": "127.0.0.1", "protos": _Protos()},
        )
    )
    if loaded.result.status != 1:
        return Ready([], loaded.result.exception.stack_trace or loaded.result.exception.message)
    found = (await runtime.functions_metadata_request(None)).function_metadata_results or []
    return Ready([Function(each.name, each.function_id, list(each.raw_bindings)) for each in found])


async def _serve(channel: socket.socket, directory: Path, install: str) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    loop = asyncio.get_running_loop()

    def say(message: Answer | Ready | Moved) -> None:
        writer.write(framed(message))

    if path := os.environ.get(PATH_VARIABLE):
        clock = SharedClock(Path(path))

        def moved() -> None:
            loop.call_soon_threadsafe(say, Moved())

        clock.on_move(moved)
        if install:
            module, _, function = install.partition(":")
            getattr(importlib.import_module(module), function)(clock=clock)
    runtime.start_threadpool_executor()
    say(await _load(directory))

    async def work(order: Invoke) -> None:
        say(await _answer(order))

    running: set[asyncio.Task[None]] = set()
    while True:
        try:
            order = await read_to_app(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            os._exit(0)
        task = asyncio.create_task(work(order))
        running.add(task)
        task.add_done_callback(running.discard)


def parse_alike_once() -> None:
    """What the SDKs parse again and again: every moment of a history in each episode, the headers of each part of a batch.

    Not for benchmarks: where the app is deployed, it pays for that.
    """
    events = vars(importlib.import_module("azure.durable_functions.models.history.HistoryEvent"))
    events["dt_parse"] = functools.lru_cache(_ALIKE)(events["dt_parse"])
    object.__setattr__(policy.HTTP, "header_factory", functools.lru_cache(_ALIKE)(policy.HTTP.header_factory))


def run(channel: socket.socket, directory: Path, install: str) -> None:
    """Serve until the driver is gone."""
    random.seed()
    _log_to_stderr()
    asyncio.run(_serve(channel, directory, install))
