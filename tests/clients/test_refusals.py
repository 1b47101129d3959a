"""What the clients refuse before anything leaves the process."""

from datetime import timedelta

import httpx
import pytest

from shared.errors import MissingIntent, Rejected, RoleNotAllowed
from shared.graph.body import Body
from shared.identifiers import ObjectId
from shared.permissions import CALLS, FIND_SERVICE_PRINCIPALS, READ_PARTNER, Call, Registration
from tests.clients.bench import FOR_ACCESS, IN_TARGET, SOURCE, TARGET, Bench, intent
from tests.sandbox.graph.models.pim_records import GLOBAL_ADMINISTRATOR

_WRITES = [(call, registration) for call in CALLS if call.write for registration in call.registrations]
_ANA = ObjectId("11111111-0000-4000-8000-000000000001")


def assert_nothing_left(bench: Bench) -> None:
    """No request to Graph, and no token asked for."""
    assert bench.world.clouds.recorder.entries == []
    assert bench.world.points.log == []


@pytest.mark.parametrize(
    ("call", "registration"), _WRITES, ids=[f"{call.method} {call.path} {by.name}" for call, by in _WRITES]
)
async def test_a_write_without_its_intent_is_refused(bench: Bench, call: Call, registration: Registration) -> None:
    where, elsewhere = (SOURCE, TARGET) if registration is Registration.SOURCE else (TARGET, SOURCE)
    others = [one for one in Registration if one is not registration]

    for given in (None, intent(registration, elsewhere), *(intent(one, where) for one in others)):
        with pytest.raises(MissingIntent):
            await bench.graph.send(
                call, registration, where, lambda c: c.users.to_post_request_information(Body({})), intent=given
            )

    assert_nothing_left(bench)


async def test_a_call_by_another_registration_than_the_table_has_is_refused(bench: Bench) -> None:
    for call in CALLS:
        for registration in set(Registration) - set(call.registrations):
            with pytest.raises(MissingIntent):
                await bench.graph.send(
                    call,
                    registration,
                    TARGET,
                    lambda c: c.users.to_get_request_information(),
                    intent=intent(registration, TARGET),
                )

    assert_nothing_left(bench)


async def test_a_role_outside_the_allow_list_is_refused_for_reading_and_writing(bench: Bench) -> None:
    now = bench.world.clock.now()

    for role in (GLOBAL_ADMINISTRATOR, "", "Security Reader"):
        for refused in (
            bench.pim.role_rules(TARGET, role),
            bench.pim.schedules(TARGET, _ANA, role),
            bench.pim.instances(TARGET, _ANA, role),
            bench.pim.in_force(TARGET, role),
            bench.pim.was_removed(TARGET, _ANA, role),
            bench.pim.request(
                TARGET,
                action="adminAssign",
                principal_id=_ANA,
                role_definition_id=role,
                start=now,
                end=now + timedelta(days=1),
                justification="x",
                ticket=None,
                intent=FOR_ACCESS,
            ),
        ):
            with pytest.raises(RoleNotAllowed):
                await refused

    assert_nothing_left(bench)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/servicePrincipals?$skiptoken=x",
        "http{graph}/v1.0/servicePrincipals",
        "{graph}.elsewhere.example/v1.0/servicePrincipals",
        "{graph}@elsewhere.example/v1.0/servicePrincipals",
        "{graph}/beta/servicePrincipals",
        "{graph}/v1.0",
        "//elsewhere.example/v1.0/servicePrincipals",
        "",
    ],
)
async def test_a_next_link_to_another_place_is_not_followed(bench: Bench, link: str) -> None:
    """The token would go with it."""
    asked: list[httpx.URL] = []
    graph = bench.settings.graph_endpoint
    following = link.replace("http{graph}", graph.replace("https", "http", 1)).replace("{graph}", graph)

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"value": [], "@odata.nextLink": following})

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        bench.use(http)
        with pytest.raises(Rejected):
            await bench.applications.find_applications("x")

    assert len(asked) == 1
    assert str(asked[0]).startswith(f"{graph}/v1.0/servicePrincipals?")


async def test_every_page_of_a_collection_is_read(bench: Bench) -> None:
    for number in range(250):
        bench.world.fabrikam.directory.add_user(f"user{number}@fabrikam.com", f"User {number}")
    group = bench.world.contoso.directory.add_group(
        "Many", [bench.world.contoso.directory.add_user(f"u{n}@contoso.com", f"U {n}").id for n in range(1100)]
    )

    members = await bench.directory.direct_members(ObjectId(group.id))

    assert len({one.id for one in members}) == 1100


async def test_a_redirect_is_not_followed(bench: Bench) -> None:
    asked: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        bench.use(http)
        with pytest.raises(Rejected):
            await bench.in_target().partner(SOURCE)

    assert asked == ["localhost"]


async def test_an_error_names_the_call_and_no_object(bench: Bench) -> None:
    """Paths in errors reach the log; ids of people and tokens must not come along."""
    await bench.in_target().create_partner(SOURCE, IN_TARGET)
    with pytest.raises(Exception, match="Request_MultipleObjectsWithSameKeyValue") as refused:
        await bench.in_target().create_partner(SOURCE, IN_TARGET)

    said = str(refused.value)
    assert "POST /policies/crossTenantAccessPolicy/partners" in said
    assert bench.received()[-1].response is not None
    assert "eyJ" not in said
    assert SOURCE not in said.replace(f"tenant_id={TARGET}", "")
    assert READ_PARTNER.path.endswith("{id}")
    assert FIND_SERVICE_PRINCIPALS.method == "GET"
