"""What the app sends against what administrators are told: the permission table, and nothing beside it."""

import re

from shared.permissions import CALLS, Registration, needed
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def templated(path: str) -> str:
    """A recorded path as the table has it: below the version, ids replaced."""
    below = _GUID.sub("{id}", path.lower().removeprefix("/v1.0"))
    return re.sub(r"(/synchronization/jobs/)(?!validatecredentials)[^/]+", r"\1{id}", below)


async def test_an_onboarding_makes_no_call_and_bears_no_permission_beside_the_table(scene: Scene) -> None:
    """By the identities that administrators are told of."""
    await scene.onboarded(features=["hunting"])

    sent = [one for one in scene.world.clouds.recorder.entries if one.service == "graph"]
    table = {
        (call.method, call.path.lower(), CLIENT_IDS[registration])
        for call in CALLS
        for registration in call.registrations
    }
    assert {(one.method, templated(one.path), str(one.app_id)) for one in sent} - table == set()
    assert {(str(one.app_id), one.roles) for one in sent} == {
        (CLIENT_IDS[one], needed(one)) for one in CLIENT_IDS if one is not Registration.API
    }
