"""A little app of three roles, for the tests of worlds whose apps are apart. What one asks of another is a file's line.

The front has HTTP, and nothing of Durable; the worker a timer that carries out what was asked; the broker a timer alone.
"""

import json
import os
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx


def _note(text: str) -> None:
    with Path(os.environ["APART_JOURNAL"]).open("a") as journal:
        journal.write(text + "\n")


def _asked() -> int:
    journal = Path(os.environ["APART_JOURNAL"])
    return journal.read_text().splitlines().count("asked") if journal.exists() else 0


def ask(_req: func.HttpRequest) -> func.HttpResponse:
    _note("asked")
    return func.HttpResponse(status_code=202)


async def act_as(req: func.HttpRequest) -> func.HttpResponse:
    """Signs in as a registration, by the identity of its settings. Answers with both statuses, and Entra's code."""
    async with httpx.AsyncClient() as http:
        query = {
            "api-version": "2019-08-01",
            "resource": "api://AzureADTokenExchange",
            "client_id": os.environ["TENANTRY_IDENTITY_CLIENT_ID"],
        }
        header = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
        proof = await http.get(os.environ["IDENTITY_ENDPOINT"], params=query, headers=header)
        if not proof.is_success:
            return func.HttpResponse(json.dumps([proof.status_code, 0, 0]))
        form = {
            "client_id": req.route_params["registration"],
            "grant_type": "client_credentials",
            "scope": f"{os.environ['TENANTRY_GRAPH_ENDPOINT']}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": proof.json()["access_token"],
        }
        authority, tenant = os.environ["TENANTRY_AUTHORITY"], os.environ["TENANTRY_SOURCE_TENANT_ID"]
        answer = await http.post(f"{authority}/{tenant}/oauth2/v2.0/token", data=form)
    [code] = answer.json().get("error_codes", [0])
    return func.HttpResponse(json.dumps([proof.status_code, answer.status_code, code]))


async def sweep(timer: func.TimerRequest, durable: df.DurableOrchestrationClient) -> None:
    del timer
    asked = _asked()
    known = {each.instance_id for each in await durable.get_status_by(instance_id_prefix="asked-")}
    for name in sorted({f"asked-{number}" for number in range(asked)} - known):
        await durable.start_new("carry_out", name, name)


def serve(timer: func.TimerRequest) -> None:
    _note(f"served past_due={timer.past_due}")


def carry_out(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
    yield context.call_activity("work", context.get_input())


def work(what: str) -> str:
    _note(f"did {what}")
    return what


def _front() -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    app.function_name("ask")(app.route(route="ask", methods=["POST"], trigger_arg_name="_req")(ask))
    app.function_name("act_as")(app.route(route="act-as/{registration}", methods=["GET"])(act_as))
    return app


def _worker() -> df.DFApp:
    app = df.DFApp()
    with_client = app.durable_client_input(client_name="durable")(sweep)
    app.function_name("sweep")(app.timer_trigger(arg_name="timer", schedule="0 * * * * *")(with_client))
    app.function_name("carry_out")(app.orchestration_trigger(context_name="context")(carry_out))
    app.function_name("work")(app.activity_trigger(input_name="what")(work))
    return app


def _broker() -> func.FunctionApp:
    app = func.FunctionApp()
    app.function_name("serve")(app.timer_trigger(arg_name="timer", schedule="*/20 * * * * *")(serve))
    return app


app = {"front": _front, "worker": _worker, "broker": _broker}[os.environ["TENANTRY_ROLE"]]()
