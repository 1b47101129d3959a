"""The check that all answers go through does find what is not described."""

import json
from typing import Any

import httpx
import pytest

from tests.flows import described

_TENANT = "/api/tenants/ffffffff-0000-4000-8000-00000000000f"
_NOT_FOUND: dict[str, Any] = {"type": "about:blank", "title": "Not found", "status": 404, "detail": "No such tenant."}


def answer(method: str, path: str, status: int, body: object = None, **headers: str) -> httpx.Response:
    media = "application/problem+json" if status >= 400 else "application/json"
    return httpx.Response(
        status,
        content=b"" if body is None else json.dumps(body).encode(),
        headers={"Content-Type": media, **{name.replace("_", "-"): value for name, value in headers.items()}},
        request=httpx.Request(method, f"https://app.example{path}"),
    )


def test_what_is_described_passes() -> None:
    described.hold(answer("GET", _TENANT, 404, _NOT_FOUND))
    described.hold(answer("GET", "/api/tenants?state=Ready", 200, {"value": [], "cursor": "x"}))
    described.hold(answer("GET", "/api/health", 204))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (answer("GET", "/api/elsewhere", 404, _NOT_FOUND), "path"),
        (answer("DELETE", "/api/health", 204), "status"),
        (answer("GET", _TENANT, 418, _NOT_FOUND), "status"),
        (answer("GET", _TENANT, 404, _NOT_FOUND, Content_Type="text/html"), "text/html"),
        (answer("GET", _TENANT, 404, _NOT_FOUND, Retry_After="5"), "Retry-After"),
        (answer("GET", _TENANT, 404, {**_NOT_FOUND, "status": "404"}), "status"),
        (answer("GET", _TENANT, 404, {**_NOT_FOUND, "stack": "trace"}), "stack"),
        (answer("GET", _TENANT, 404, {"type": "about:blank"}), "detail"),
        (answer("GET", _TENANT, 404, {**_NOT_FOUND, "tenant": "not an address"}), "tenant"),
        (answer("GET", _TENANT, 200, {"tenantId": "x"}), "required"),
        (answer("GET", "/api/health", 204, "ok"), "content"),
    ],
)
def test_what_is_not_described_is_found(wrong: httpx.Response, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        described.hold(wrong)
