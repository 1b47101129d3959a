"""Conditional access in the sandbox: whole objects as Microsoft publishes them, read only, once a second."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sandbox.graph.models.conditional_access import (
    country_location,
    external,
    ip_location,
    policy,
    strength,
)
from tests.world.clouds_scene import CONTOSO, FABRIKAM, TARGET_APP, scene
from tests.world.published_types import PUBLISHED, PublishedTypes

_POLICIES = "/identity/conditionalAccess/policies"
_LOCATIONS = "/identity/conditionalAccess/namedLocations"


async def test_policies_and_locations_come_whole_and_fit_the_published_types(tmp_path: Path) -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published types are not beside the project")
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)
        policies = world.fabrikam.policies
        policies.named_locations = [ip_location("HQ", "198.51.100.0/24", trusted=True), country_location("Home", "DE")]
        policies.conditional_access = [
            policy(
                "Externals",
                "mfa",
                users={"includeGuestsOrExternalUsers": external("b2bCollaborationMember", tenants=[CONTOSO])},
                locations=(["All"], ["AllTrusted"]),
                terms=["t"],
            ),
            policy("Strong", strength=strength("Phishing-resistant MFA", "fido2"), clients=("browser",)),
        ]

        found = (await world.made(FABRIKAM, f"GET {_POLICIES}"))["value"]
        world.clock.advance(timedelta(seconds=2))
        places = (await world.made(FABRIKAM, f"GET {_LOCATIONS}?$select=id,displayName"))["value"]

        assert [one["displayName"] for one in found] == ["Externals", "Strong"]
        assert [one["displayName"] for one in places] == ["HQ", "Home"]
        assert world.clouds.violations == []
        lines = (tmp_path / "traffic.jsonl").read_text().splitlines()

    published = PublishedTypes()
    assert [one for line in lines for one in published.differences(json.loads(line))] == []


@pytest.mark.parametrize(
    "line",
    [
        f"GET {_POLICIES}?$filter=state eq 'enabled'",
        f"GET {_POLICIES}?$select=conditions,name",
        f"GET {_POLICIES}?$expand=conditions",
        f"GET {_LOCATIONS}?$select=isTrusted",
        f"PATCH {_POLICIES}/x",
    ],
)
async def test_what_nobody_needs_is_not_served(tmp_path: Path, line: str) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)

        assert (await world.graph(FABRIKAM, line)).status_code in (400, 501)
        assert len(world.clouds.violations) == 1


async def test_both_collections_and_all_applications_share_one_request_a_second(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)
        await world.made(FABRIKAM, f"GET {_POLICIES}")

        refused = await world.graph(FABRIKAM, f"GET {_LOCATIONS}")

        assert (refused.status_code, "Retry-After" in refused.headers) == (429, False)
        world.clock.advance(timedelta(seconds=1))
        assert (await world.graph(FABRIKAM, f"GET {_LOCATIONS}")).status_code == 200


def test_a_policy_with_a_control_that_does_not_exist_cannot_be_set_up() -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        policy("P", "fingerprint")
    with pytest.raises(ValueError, match="neighbour"):
        external("neighbour")
