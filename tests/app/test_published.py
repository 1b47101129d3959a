"""The permission table and the traffic of an onboarding against Microsoft's published permissions and types.

The published files stand beside the project where it is developed; elsewhere these tests are skipped.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.permissions import CALLS, Call
from tests.app.visitor import Visitor
from tests.flows.scene import Scene
from tests.world.published_types import PUBLISHED, PublishedTypes

_PERMISSIONS = Path(__file__).parents[3] / "shared" / "contracts" / "graph-permissions.json"

pytestmark = pytest.mark.skipif(
    not (PUBLISHED.exists() and _PERMISSIONS.exists()),
    reason="Microsoft's published permissions and types are not beside the project",
)

# Calls without a row of their own, and the row that they go by.
_GOES_BY = {
    "POST /serviceprincipals/{id}/synchronization/jobs/validatecredentials": "POST /serviceprincipals/{id}/"
    "synchronization/jobs/{id}/validatecredentials"
}

# Where we ask for more than the published table makes do with, and why.
_MORE_THAN_PUBLISHED = {
    # Members' names and kinds are empty without it (property rules).
    "GET /groups/{id}/members",
    # The call's own page names the pair; that Application.ReadWrite.All alone will do was not seen in a real tenant.
    "POST /serviceprincipals/{id}/approleassignedto",
}


def enough(call: Call) -> list[frozenset[str]]:
    """The sets of application permissions that the published table has for a call; each of them is enough."""
    row: dict[str, Any] = json.loads(_PERMISSIONS.read_text())["rows"][published_name(call)]
    return [
        frozenset({entry["permission"], other})
        for entry in row["application"]
        for other in entry.get("alsoOneOf", [entry["permission"]])
    ]


def published_name(call: Call) -> str:
    """Its row in the published table."""
    short = re.sub(r"/microsoft\.graph\.(?:\w+\.)*", "/", call.path)
    own = f"{call.method} {short.lower().replace("'{id}'", '{id}')}"
    return _GOES_BY.get(own, own)


def name(call: Call) -> str:
    return f"{call.method} {call.path} by {', '.join(one.name.lower() for one in call.registrations)}"


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_the_permissions_of_a_call_are_enough_by_the_published_table(call: Call) -> None:
    accepted = enough(call)

    assert any(one <= set(call.permissions) for one in accepted), accepted


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_no_permission_of_a_call_could_be_left_out(call: Call) -> None:
    """Least privilege: each of several permissions is needed."""
    if published_name(call) in _MORE_THAN_PUBLISHED:
        return
    accepted = enough(call)

    for left_out in call.permissions:
        rest = set(call.permissions) - {left_out}
        assert not any(one <= rest for one in accepted), left_out


async def test_an_onboarding_speaks_as_published(scene: Scene) -> None:
    await scene.post(features=["hunting"])
    await scene.settle()
    farid = Visitor(scene)
    for registration in ("Tenantry Setup", "Tenantry Access", "Tenantry Hunt"):
        link = next(one["link"] for one in (await scene.record())["consents"] if one["registration"] == registration)
        await farid.open(await farid.at_entra(await farid.open(link)))
        await scene.settle()
    assert (await scene.record())["state"] == "Ready"

    recorded = [json.loads(line) for line in scene.world.recording.read_text().splitlines()]
    published = PublishedTypes()
    assert [one for record in recorded for one in published.differences(record)] == []
    assert len([one for one in recorded if one["service"] == "graph"]) > 50
