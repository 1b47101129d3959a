"""Standard Webhooks: the example of the specification's own package, change of keys, and what a key is."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from shared.clock import SystemClock
from shared.notify.webhook import is_key, signed
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


def test_while_keys_change_a_receiver_that_knows_either_accepts_it_and_one_that_knows_neither_does_not() -> None:
    headers = fresh(_NEW, _OLD)

    assert len(headers["webhook-signature"].split(" ")) == 2
    for known in (_OLD, _NEW):
        assert Webhook(known).verify(_BODY, headers) == {"type": "renewal.at_risk"}
    with pytest.raises(WebhookVerificationError):
        Webhook(_OTHER).verify(_BODY, headers)


@given(st.binary(max_size=100))
def test_a_key_is_the_base64_of_24_to_64_bytes(content: bytes) -> None:
    text = base64.b64encode(content).decode()

    assert is_key(f"whsec_{text}") == (24 <= len(content) <= 64)
    assert not is_key(text)
    assert not is_key(f"whsec_{text}!")
