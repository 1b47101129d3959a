"""Standard Webhooks: the example of the specification's own package, change of keys, and what is refused."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.errors import WebhookRejected
from shared.notify.webhook import is_key, signed, verify
from tests.sandbox.receiver import new_key

_OLD, _NEW, _OTHER = (new_key() for _ in range(3))
_BODY = '{"type":"renewal.at_risk"}'


def fresh(*keys: str) -> dict[str, str]:
    return signed("msg_1", SystemClock().now(), _BODY, keys)


def test_the_example_that_the_specification_s_libraries_share_is_signed_alike() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_keys_change_whoever_knows_either_accepts_it() -> None:
    headers = fresh(_NEW, _OLD)

    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verify(headers, _BODY.encode(), [_OLD]) == "msg_1"
    assert verify(headers, _BODY.encode(), [_NEW]) == "msg_1"
    with pytest.raises(WebhookRejected):
        verify(headers, _BODY.encode(), [_OTHER])


def test_a_receiver_that_knows_two_keys_accepts_what_either_has_signed() -> None:
    assert verify(fresh(_OLD), _BODY.encode(), [_NEW, _OLD]) == "msg_1"
    with pytest.raises(WebhookRejected):
        verify(fresh(_OLD), _BODY.encode(), [])


def test_names_of_headers_are_read_in_any_case() -> None:
    assert verify({name.title(): value for name, value in fresh(_NEW).items()}, _BODY.encode(), [_NEW]) == "msg_1"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_that_was_not_signed_just_now_is_refused(minutes: int) -> None:
    headers = signed("msg_1", SystemClock().now() + timedelta(minutes=minutes), _BODY, [_NEW])

    with pytest.raises(WebhookRejected):
        verify(headers, _BODY.encode(), [_NEW])


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", ""),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "nan"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1a,AAAA"),
        ("webhook-signature", "v1,"),
    ],
)
def test_what_was_changed_on_the_way_or_is_malformed_is_refused_and_nothing_else_is_raised(
    header: str, value: str
) -> None:
    with pytest.raises(WebhookRejected):
        verify({**fresh(_NEW), header: value}, _BODY.encode(), [_NEW])


@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\xfe"])
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        verify(fresh(_NEW), body, [_NEW])


@given(st.binary(max_size=100))
def test_a_key_is_the_base64_of_24_to_64_bytes(content: bytes) -> None:
    text = base64.b64encode(content).decode()

    assert is_key(f"whsec_{text}") == (24 <= len(content) <= 64)
    assert not is_key(text)
    assert not is_key(f"whsec_{text}!")
