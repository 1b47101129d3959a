"""The body of POST /api/tenants: every wrong one names its field, whatever the bytes are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bodies import LARGEST_BODY_BYTES
from shared.errors import BadRequest
from shared.identifiers import TenantId
from shared.onboarding.request import MOST_ANALYSTS, Asked, parse
from shared.tenants.findings import Feature
from shared.tenants.record import Trust
from tests.unit.making import ANA, BEN, SOURCE, TARGET

_JSON = "application/json"
_LEFT_OUT = object()


def body(**changes: Any) -> dict[str, Any]:
    """A good body with some fields replaced, or left out."""
    good = {"tenantId": TARGET, "displayName": "Fabrikam", "analysts": {"userIds": [ANA]}}
    return {name: value for name, value in {**good, **changes}.items() if value is not _LEFT_OUT}


def read(value: object, source: TenantId = SOURCE) -> Asked:
    return parse(json.dumps(value).encode(), _JSON, source)


def test_the_smallest_body_has_the_defaults() -> None:
    asked = read(body())

    assert (asked.tenant_id, asked.domain, asked.display_name) == (TARGET, None, "Fabrikam")
    assert (asked.group_id, asked.user_ids) == (None, (ANA,))
    assert (180, Trust(mfa=True, compliant_device=False, hybrid_joined=False)) == (asked.duration_days, asked.trust)
    assert asked.dry_run is False
    assert asked.features == ()


def test_a_full_body_is_read_whole() -> None:
    trust = {"mfa": False, "compliantDevice": True, "hybridJoined": True}
    asked = read(
        body(
            tenantId=_LEFT_OUT,
            domain=" Fabrikam.COM ",
            displayName=" Fabrikam ",
            analysts={"groupId": BEN.upper()},
            duration="P1Y",
            trust=trust,
            features=["hunting"],
            dryRun=True,
        )
    )

    assert (asked.tenant_id, asked.domain, asked.display_name) == (None, "fabrikam.com", "Fabrikam")
    assert (asked.group_id, asked.user_ids, asked.duration_days) == (BEN, (), 365)
    assert Trust(mfa=False, compliant_device=True, hybrid_joined=True) == asked.trust
    assert asked.dry_run is True
    assert asked.features == (Feature.HUNTING,)


def test_the_order_and_the_case_of_user_ids_make_no_other_wish() -> None:
    one, other = read(body(analysts={"userIds": [BEN.upper(), ANA]})), read(body(analysts={"userIds": [ANA, BEN]}))

    assert one.user_ids == other.user_ids == (ANA, BEN)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"tenantId": "nonsense"}, "tenantId", "not a GUID"),
        ({"tenantId": f"{{{TARGET}}}"}, "tenantId", "not a GUID"),
        ({"tenantId": ""}, "tenantId", "not a GUID"),
        ({"tenantId": SOURCE}, "tenantId", "source tenant itself"),
        ({"tenantId": f" {SOURCE.upper()} "}, "tenantId", "source tenant itself"),
        ({"tenantId": 7}, "tenantId", "Expected `str"),
        ({"domain": "fabrikam.com"}, "tenantId", "exactly one"),
        ({"tenantId": _LEFT_OUT}, "tenantId", "exactly one"),
        ({"tenantId": None}, "tenantId", "exactly one"),
        ({"displayName": _LEFT_OUT}, "displayName", "is required"),
        ({"displayName": None}, "displayName", "Expected `str`"),
        ({"displayName": ""}, "displayName", "1 to 60"),
        ({"displayName": " \t "}, "displayName", "1 to 60"),
        ({"displayName": "x" * 61}, "displayName", "1 to 60"),
        ({"displayName": "Fabri\nkam"}, "displayName", "printable"),
        ({"displayName": "Fabrikam\u202etset"}, "displayName", "printable"),
        ({"displayName": "Fabri\u0000kam"}, "displayName", "printable"),
        ({"analysts": _LEFT_OUT}, "analysts", "is required"),
        ({"analysts": [ANA]}, "analysts", "Expected `object`"),
        ({"analysts": {}}, "analysts", "exactly one of groupId and userIds"),
        ({"analysts": {"groupId": BEN, "userIds": [ANA]}}, "analysts", "exactly one"),
        ({"analysts": {"groupId": "SOC"}}, "analysts.groupId", "not a GUID"),
        ({"analysts": {"userIds": []}}, "analysts.userIds", "must name 1 to"),
        ({"analysts": {"userIds": "ana"}}, "analysts.userIds", "Expected `array"),
        ({"analysts": {"userIds": [ANA, "ana@contoso.com"]}}, "analysts.userIds[1]", "not a GUID"),
        ({"analysts": {"userIds": [ANA, 7]}}, "analysts.userIds[1]", "Expected `str`"),
        ({"analysts": {"userIds": [ANA, ANA.upper()]}}, "analysts.userIds", "twice"),
        ({"analysts": {"userIds": [ANA], "names": []}}, "analysts.names", "is no field"),
        ({"duration": ""}, "duration", "whole days"),
        ({"duration": "180"}, "duration", "whole days"),
        ({"duration": "P0D"}, "duration", "whole days"),
        ({"duration": "PT36H"}, "duration", "whole days"),
        ({"duration": "P11Y"}, "duration", "P1D to P3650D"),
        ({"duration": f"P{'9' * 5000}D"}, "duration", "whole days"),
        ({"duration": 180}, "duration", "Expected `str`"),
        ({"trust": True}, "trust", "Expected `object`"),
        ({"trust": {"mfa": "yes"}}, "trust.mfa", "Expected `bool`"),
        ({"trust": {"everything": True}}, "trust.everything", "is no field"),
        ({"features": "hunting"}, "features", "Expected `array"),
        ({"features": ["fishing"]}, "features[0]", "none of hunting"),
        ({"features": ["hunting", "Hunting"]}, "features[1]", "none of hunting"),
        ({"features": ["hunting", "hunting"]}, "features", "names hunting twice"),
        ({"features": [None]}, "features[0]", "Expected `str`"),
        ({"dryRun": "true"}, "dryRun", "Expected `bool`"),
        ({"dryrun": True}, "dryrun", "is no field"),
    ],
)
def test_each_wrong_field_has_its_own_answer(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(body(**changes))

    assert field == refused.value.field
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "fabrikam",
        "fabrikam.",
        ".com",
        "-fabrikam.com",
        "fabrikam-.com",
        "fab rikam.com",
        "fabrikam.com/x",
        "a" * 64,
        "fabrikam.c",
        "fabrikam.com?x=1",
        "fabrikam.com')",
        "fäbrikam.com",
        f"{'a.' * 130}com",
        "https://fabrikam.com",
    ],
)
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(body(tenantId=_LEFT_OUT, domain=domain))

    assert refused.value.field == "domain"


@pytest.mark.parametrize("duration", ["P1D", "P3650D", "P10Y", "P6M", "PT24H", "P1W"])
def test_whole_days_are_taken_in_any_form(duration: str) -> None:
    assert read(body(duration=duration)).duration_days >= 1


def test_an_analyst_more_than_the_most_is_refused() -> None:
    many = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(MOST_ANALYSTS + 1)]

    assert len(read(body(analysts={"userIds": many[:-1]})).user_ids) == MOST_ANALYSTS
    with pytest.raises(BadRequest, match="must name 1 to"):
        read(body(analysts={"userIds": many}))


@pytest.mark.parametrize("content_type", ["", "text/json", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_content_type_is_refused_before_the_body_is_read(content_type: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(b"{", content_type, SOURCE)

    assert refused.value.field == "Content-Type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", " application/json "])
def test_the_content_type_is_read_as_http_says(content_type: str) -> None:
    assert parse(json.dumps(body()).encode(), content_type, SOURCE).tenant_id == TARGET


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"displayName":"\xff"}',
        b'{"displayName":"\\ud800"}',
        b"[" * 60_000,
        b"null",
        b"[]",
        b"1",
    ],
)
def test_a_body_that_is_no_json_object_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(content, _JSON, SOURCE)

    assert refused.value.field == "body"


def test_a_body_that_is_too_large_is_refused_unread() -> None:
    good = json.dumps(body()).encode()

    assert parse(good.ljust(LARGEST_BODY_BYTES), _JSON, SOURCE).tenant_id == TARGET
    with pytest.raises(BadRequest, match="larger than"):
        parse(good.ljust(LARGEST_BODY_BYTES + 1), _JSON, SOURCE)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_bad_request(content: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(content, _JSON, SOURCE)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from([ANA, TARGET]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = ("tenantId", "domain", "displayName", "analysts", "duration", "trust", "features", "dryRun", "other")


@given(st.dictionaries(st.sampled_from(_NAMES), _ANYTHING))
def test_no_json_raises_anything_but_a_bad_request_with_a_field(changes: dict[str, Any]) -> None:
    asked = None
    try:
        asked = read(body(**changes))
    except BadRequest as refused:
        told = refused.field and refused.reason
    else:
        told = asked.display_name

    assert told
    if asked is not None:
        assert (asked.tenant_id is None) != (asked.domain is None)
        assert (asked.group_id is None) == bool(asked.user_ids)
        assert 1 <= asked.duration_days <= 3650
