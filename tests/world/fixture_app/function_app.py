"""A little app for the driver's own tests: one function of each kind, and orchestrators of each shape.

Activities append to a journal file, so that a test sees what ran, also across kills.
"""

import asyncio
import json
import os
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
from installed import Installed  # type: ignore[import-not-found]  # stands in the app's own directory

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

type Flow = Generator[Any, Any, Any]


def _note(text: str) -> None:
    with Path(os.environ["FIXTURE_JOURNAL"]).open("a") as journal:
        journal.write(text + "\n")


def echo(req: func.HttpRequest) -> func.HttpResponse:
    told = {
        "word": req.route_params["word"],
        "query": dict(req.params),
        "body": req.get_body().decode(),
        "header": req.headers.get("x-told"),
        "url": req.url,
    }
    return func.HttpResponse(json.dumps(told), mimetype="application/json", headers={"x-answer": "yes"})


async def echo_special(_req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")


def by_guid(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["thing"])


def rest(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("path", "-"))


def locked(_req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("never")


def broken(_req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")


async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Calls the app itself, so that a test can act while this one is under way; then never ends."""
    async with httpx.AsyncClient() as caller:
        await caller.get(req.url.replace("/slow", "/echo/special"))
    await asyncio.Event().wait()
    return func.HttpResponse("never")


async def nap(req: func.HttpRequest) -> func.HttpResponse:
    """Waits on the installed clock."""
    clock = Installed.clock
    begun = clock.now()
    await clock.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse(json.dumps([begun.isoformat(), clock.now().isoformat()]))


def setting(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ.get(req.route_params["name"], "-"))


def die(_req: func.HttpRequest) -> func.HttpResponse:
    os._exit(3)


async def client(req: func.HttpRequest, durable: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Calls the durable client as the test says; answers with what came back, or 409 with the error."""
    instance, body = req.route_params["instance"], json.loads(req.get_body() or b"null")
    verb = req.route_params["verb"]
    try:
        match verb:
            case "start":
                answer: Any = await durable.start_new(body["name"], instance, body.get("input"))
            case "status":
                answer = (await durable.get_status(instance, show_history=True, show_input=True)).to_json()
            case "event":
                answer = await durable.raise_event(instance, body["name"], body.get("data"))
            case "terminate":
                answer = await durable.terminate(instance, "as asked")
            case "suspend":
                answer = await durable.suspend(instance, "as asked")
            case "resume":
                answer = await durable.resume(instance, "as asked")
            case "purge":
                answer = (await durable.purge_instance_history(instance)).instances_deleted
            case "list":
                found = await durable.get_status_by(instance_id_prefix=instance)
                answer = [each.instance_id for each in found]
            case _:
                answer = f"no verb {verb}"
    except Exception as error:  # noqa: BLE001 - the test wants to see it
        return func.HttpResponse(json.dumps(str(error)), status_code=409)
    return func.HttpResponse(json.dumps(answer, default=str))


def every_hour(timer: func.TimerRequest) -> None:
    _note(f"every_hour past_due={timer.past_due}")


async def work(what: dict) -> dict:  # type: ignore[type-arg]  # the worker takes plain classes only
    _note(f"work {what['name']}")
    return {"did": what["name"]}


def sync_work(what: str) -> str:
    _note(f"sync_work {what}")
    return what.upper()


def flaky(failures: int) -> str:
    _note("flaky")
    if Path(os.environ["FIXTURE_JOURNAL"]).read_text().count("flaky\n") <= failures:
        raise ValueError("not yet")
    return "at last"


def flaky_one(what: dict) -> str:  # type: ignore[type-arg]  # as above
    name, failures = what["name"], what["failures"]
    _note(f"flaky {name}")
    if Path(os.environ["FIXTURE_JOURNAL"]).read_text().count(f"flaky {name}\n") <= failures:
        raise ValueError(f"{name} not yet")
    return str(name)


def in_turn(context: df.DurableOrchestrationContext) -> Flow:
    done = []
    for n in range(context.get_input()):
        answer = yield context.call_activity("work", {"name": f"{context.instance_id}-{n}"})
        done.append(answer["did"])
        context.set_custom_status({"done": n + 1})
    return done


def fan_out(context: df.DurableOrchestrationContext) -> Flow:
    answers = yield context.task_all([context.call_activity("sync_work", word) for word in context.get_input()])
    return answers


def patient(context: df.DurableOrchestrationContext) -> Flow:
    begun = context.current_utc_datetime
    yield context.create_timer(begun + timedelta(hours=context.get_input()))
    return (context.current_utc_datetime - begun).total_seconds()


def waits(context: df.DurableOrchestrationContext) -> Flow:
    event = context.wait_for_external_event("go")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(minutes=30))
    winner = yield context.task_any([event, deadline])
    if winner == event:
        deadline.cancel()
        return {"event": event.result}
    return {"event": None}


def parent(context: df.DurableOrchestrationContext) -> Flow:
    outcomes = yield context.task_all([context.call_sub_orchestrator("child", n, f"child-{n}") for n in (1, 2, 3)])
    try:
        yield context.call_sub_orchestrator("child", 0, "child-0")
    except Exception as error:  # noqa: BLE001 - what a failed sub-orchestration raises
        return [*outcomes, "it says: no zero" if "no zero" in str(error) else str(error)]
    return "never"


def child(context: df.DurableOrchestrationContext) -> Flow:
    number = context.get_input()
    if not number:
        raise ValueError("no zero")
    answer = yield context.call_activity("sync_work", f"c{number}")
    return answer


def tries(context: df.DurableOrchestrationContext) -> Flow:
    """Two retried calls and a plain one at once, so that the numbers of retries interleave with others."""
    policy = df.RetryOptions(60_000, 3)
    first = context.call_activity_with_retry("flaky", policy, context.get_input())
    second = context.call_activity("sync_work", "beside")
    done = yield context.task_all([first, second])
    last = yield context.call_activity("sync_work", "after")
    return [*done, last]


def many_tries(context: df.DurableOrchestrationContext) -> Flow:
    """Retries of activities and of a sub-orchestration, with different waits, while other things go on."""
    calls = [
        context.call_activity_with_retry(
            "flaky_one", df.RetryOptions(10_000 * (n + 1), 5), {"name": f"f{n}", "failures": n + 1}
        )
        for n in range(4)
    ]
    doomed = context.call_sub_orchestrator_with_retry("child", df.RetryOptions(5_000, 2), 0)
    first = yield context.task_any([context.call_activity("sync_work", "quick"), *calls])
    beside = yield context.call_activity("sync_work", f"after {first.result}")
    done = yield context.task_all(calls)
    try:
        yield doomed
    except Exception as error:  # noqa: BLE001 - what a failed sub-orchestration raises
        return [beside, *done, "no zero" in str(error)]
    return "never"


def again(context: df.DurableOrchestrationContext) -> Flow:
    left = context.get_input()
    answer = yield context.call_activity("sync_work", f"left {left}")
    if left > 1:
        context.continue_as_new(left - 1)
    return answer


def collects(context: df.DurableOrchestrationContext) -> Flow:
    """Takes one event in each life."""
    word = yield context.wait_for_external_event("word")
    words = [*context.get_input(), word]
    if len(words) < 3:
        context.continue_as_new(words)
    return words


_calls = 0


def moody(context: df.DurableOrchestrationContext) -> Flow:
    """Breaks the first law: each run asks for something else."""
    global _calls  # noqa: PLW0603 - that is the point
    _calls += 1
    yield context.call_activity("sync_work", f"call {_calls}")


def entity(context: df.DurableOrchestrationContext) -> Flow:
    yield context.call_entity(df.EntityId("counter", "one"), "get")


def _http(function: Any, route: str, **binding: Any) -> Any:
    parameter = "_req" if "_req" in function.__annotations__ else "req"
    return app.route(route=route, trigger_arg_name=parameter, **binding)(function)


def _register() -> None:
    """By call: the plain functions stay what they are."""
    _named(echo, _http(echo, "echo/{word}", methods=["GET", "POST"]))
    _named(echo_special, _http(echo_special, "echo/special", methods=["GET"]))
    _named(by_guid, _http(by_guid, "things/{thing:guid}", methods=["GET"]))
    _named(rest, _http(rest, "files/{*path}", methods=["GET"]))
    _named(locked, _http(locked, "locked", auth_level=func.AuthLevel.FUNCTION))
    _named(broken, _http(broken, "broken"))
    _named(slow, _http(slow, "slow"))
    _named(nap, _http(nap, "nap/{seconds:int}"))
    _named(setting, _http(setting, "setting/{name}"))
    _named(die, _http(die, "die"))
    with_client = app.durable_client_input(client_name="durable")(client)
    _named(client, app.route(route="client/{verb}/{instance}", methods=["POST"])(with_client))
    _named(every_hour, app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")(every_hour))
    for activity, parameter in ((work, "what"), (sync_work, "what"), (flaky, "failures"), (flaky_one, "what")):
        _named(activity, app.activity_trigger(input_name=parameter)(activity))
    for orchestrator in (
        in_turn,
        fan_out,
        patient,
        waits,
        parent,
        child,
        tries,
        many_tries,
        again,
        collects,
        moody,
        entity,
    ):
        _named(orchestrator, app.orchestration_trigger(context_name="context")(orchestrator))


def _named(function: Any, built: Any) -> None:
    app.function_name(function.__name__)(built)


_register()
