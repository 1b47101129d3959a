"""Admin consent as a browser sees it: who may, what comes back, and what Entra refuses to show."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.entra.errors import EntraError
from tests.world.clouds_scene import FABRIKAM, REDIRECT, TARGET_APP, TARGET_PERMISSIONS, scene


def fields(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def test_accepting_grants_everything_and_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        back = await world.clouds.open_consent(world.consent_url(), world.farid)

        assert back.startswith(f"{REDIRECT}?")
        told = fields(back)
        assert (told["admin_consent"], told["tenant"], told["state"]) == ("True", FABRIKAM, "once")
        assert "error" not in told
        assert world.clouds.granted(TARGET_APP, FABRIKAM) == frozenset(TARGET_PERMISSIONS)


async def test_a_refusal_says_admin_consent_true_as_well(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        told = fields(await world.clouds.open_consent(world.consent_url(), world.farid, "deny"))

        assert (told["error"], told["admin_consent"], told["state"]) == ("access_denied", "True", "once")
        assert world.clouds.granted(TARGET_APP, FABRIKAM) == frozenset()


async def test_somebody_without_the_role_cannot_consent(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        told = fields(await world.clouds.open_consent(world.consent_url(), world.faye))

        assert told["error"] == "access_denied"
        assert world.clouds.granted(TARGET_APP, FABRIKAM) == frozenset()


async def test_any_organization_may_answer_where_the_address_names_none(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        told = fields(await world.clouds.open_consent(world.consent_url("organizations"), world.farid))

        assert told["tenant"] == FABRIKAM


@pytest.mark.parametrize(
    ("tenant", "changed", "code"),
    [
        ("common", {}, 90009),
        ("nowhere.example", {}, 90002),
        (FABRIKAM, {"redirect_uri": "http://elsewhere.example/"}, 50011),
        (FABRIKAM, {"client_id": FABRIKAM}, 700016),
        (FABRIKAM, {"scope": "User.Read.All"}, 70011),
        (FABRIKAM, {"scope": ""}, 900144),
    ],
)
async def test_a_wrong_address_is_an_error_page(
    tmp_path: Path, tenant: str, changed: dict[str, str], code: int
) -> None:
    async with scene(tmp_path) as world:
        with pytest.raises(EntraError) as refused:
            await world.clouds.open_consent(world.consent_url(tenant, **changed), world.farid)

        assert refused.value.number == code


async def test_an_administrator_of_another_tenant_is_turned_away(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        chief = world.clouds.person(world.contoso, "chief@contoso.com", "Chief", admin=True)

        with pytest.raises(EntraError, match="AADSTS50020"):
            await world.clouds.open_consent(world.consent_url(), chief)


async def test_people_can_click_through_the_page(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        shown = await world.client.get(world.consent_url())
        assert "RoleEligibilitySchedule.ReadWrite.Directory" in shown.text

        chosen = {"person": world.farid.object_id, "answer": "accept"}
        sent = await world.client.post(world.consent_url(), data=chosen)

        assert sent.status_code == 302
        assert fields(sent.headers["Location"])["tenant"] == FABRIKAM
