"""GET /api/openapi.json: open, for this deployment's address, and what the tests hold all answers against."""

import msgspec

from shared.api import OPERATIONS
from shared.document import document
from tests.app.answers import content_type
from tests.flows.scene import Scene


async def test_anybody_gets_the_document_and_the_same_again(scene: Scene) -> None:
    first = await scene.call("GET", "/api/openapi.json", token=None)
    again = await scene.call("GET", "/api/openapi.json", token="nonsense")

    assert (first.status_code, content_type(first)) == (200, "application/json")
    assert first.json() == msgspec.to_builtins(document(OPERATIONS, scene.world.host.url))
    assert first.json()["servers"] == [{"url": f"{scene.world.host.url}/api"}]
    assert again.content == first.content
