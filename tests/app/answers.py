"""What answers of the API have in common."""

import httpx

from tests.flows.scene import Scene

PROBLEM = "application/problem+json"


def content_type(answer: httpx.Response) -> str:
    """Without parameters."""
    return str(answer.headers.get("Content-Type", "")).partition(";")[0]


def assert_accepted(scene: Scene, answer: httpx.Response, tenant_id: str) -> None:
    """202 with the way to the record."""
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{scene.world.host.url}/api/tenants/{tenant_id}"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["tenantId"] == tenant_id


def assert_conflict(scene: Scene, answer: httpx.Response, tenant_id: str, reason: str) -> None:
    """409 that points at the record."""
    location = f"{scene.world.host.url}/api/tenants/{tenant_id}"
    assert answer.status_code == 409, answer.text
    assert content_type(answer) == PROBLEM
    assert (answer.headers["Location"], answer.json()["tenant"]) == (location, location)
    assert reason in answer.json()["detail"]


def runs_of(scene: Scene, tenant_id: str) -> list[str]:
    """Orchestrations of a tenant."""
    return [one.id for one in scene.world.host.orchestrations() if tenant_id in one.id]
