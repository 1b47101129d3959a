"""A claims challenge: read from Azure's header, from PIM's words, and handed on to whoever calls us."""

import base64
import json
import re
from collections.abc import Callable

import azure.functions as func
import pytest

from shared.arm.approval_shapes import challenge_of, claims_in
from shared.clock import SystemClock
from shared.errors import ClaimsChallenge
from shared.problems import guarded
from shared.services import build
from shared.settings import read_settings
from shared.wakes import Elsewhere
from tests.unit.environment import ENVIRONMENT

_CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})


def header(claims: str, error: str = "insufficient_claims") -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer authorization_uri="https://x/", error="{error}", claims="{claims}"'}


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_challenge_is_read_however_its_base64_is_written(encode: Callable[[bytes], bytes], *, padded: bool) -> None:
    claims = '{"access_token":{"x":"~~~???"}}'
    encoded = encode(claims.encode()).decode()

    assert challenge_of(header(encoded if padded else encoded.rstrip("="))) == claims


@pytest.mark.parametrize(
    "headers",
    [
        {},
        header("e30=", "invalid_token"),
        header("!!"),
        header("a"),
        {"WWW-Authenticate": 'error="insufficient_claims"'},
    ],
)
def test_what_is_no_challenge_is_none(headers: dict[str, str]) -> None:
    assert challenge_of(headers) == ""


@pytest.mark.parametrize(
    ("message", "claims"),
    [
        (f"&claims={_CLAIMS}", _CLAIMS),
        ("x &claims=%7B%22a%22%3A1%7D&y", '{"a":1}'),
        ("The policy was not met.", ""),
        ("&claims=nothing", ""),
    ],
)
def test_the_claims_stand_in_pim_s_words(message: str, claims: str) -> None:
    assert claims_in(message) == claims


async def test_a_caller_is_told_what_to_sign_in_with() -> None:
    async def refuses(*_: object) -> func.HttpResponse:
        raise ClaimsChallenge(_CLAIMS)

    services = build(read_settings(ENVIRONMENT), SystemClock())
    request = func.HttpRequest(method="POST", url="https://app.example/api/x", body=b"")

    answer = await guarded(refuses)(services, Elsewhere(services.wakes), request)

    told = answer.headers["WWW-Authenticate"]
    found = re.search(r'error="insufficient_claims", claims="([^"]+)"', told)
    assert answer.status_code == 401
    assert found is not None
    assert json.loads(base64.b64decode(found[1])) == json.loads(_CLAIMS)
    assert f'client_id="{ENVIRONMENT["TENANTRY_API_CLIENT_ID"]}"' in told
    assert 'authorization_uri="https://login.example/' in told
    assert b"sign in again" in answer.get_body()
