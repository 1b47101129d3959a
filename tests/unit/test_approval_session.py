"""Sessions, cookies and form tokens: what we signed, for as long as we said, and for what it was signed."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.approvals.browsers import local
from shared.approvals.session import (
    KEY,
    PREVIOUS_KEY,
    Keys,
    Session,
    cookies_at,
    form_token,
    is_form_token,
    key_problems,
    keys_of,
    opened,
    sealed,
)
from shared.errors import SettingsError
from shared.identifiers import ObjectId
from shared.settings import read_settings
from tests.unit.environment import ENVIRONMENT

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_NEW, _OLD = Keys((b"n" * 32,)), Keys((b"o" * 32,))
_BOTH = Keys((*_NEW.values, *_OLD.values))
_SESSION = Session(
    person_id=ObjectId("p"), name="Zoë ✓", username="z", number="one", until=_NOW + timedelta(minutes=30)
)


def encoded(length: int) -> str:
    return base64.b64encode(b"k" * length).decode()


def test_a_session_is_read_until_it_ends_and_a_change_of_keys_ends_none() -> None:
    value = sealed(_SESSION, _OLD)

    assert opened(value, _BOTH, _NOW) == _SESSION
    assert opened(value, _BOTH, _SESSION.until) is None
    assert opened(value, _NEW, _NOW) is None
    assert opened(value, Keys(), _NOW) is None
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.integers(0, 300), st.characters(codec="utf-8"))
def test_a_session_that_was_changed_anywhere_is_none(at: int, character: str) -> None:
    value = sealed(_SESSION, _NEW)
    changed = value[: at % len(value)] + character + value[at % len(value) + 1 :]

    found = opened(changed, _NEW, _NOW)

    # The last character of base64 has bits that mean nothing, but a signature is compared as it is written.
    assert found is None or changed == value


@given(st.text(max_size=300))
def test_whatever_else_stands_in_the_cookie_is_no_session(text: str) -> None:
    assert opened(text, _NEW, _NOW) is None


def test_a_form_s_token_is_for_one_session_one_path_and_is_no_session() -> None:
    token = form_token(_SESSION, "/a", _OLD)
    other = Session(person_id=ObjectId("p"), name="", username="", number="two", until=_NOW)

    assert is_form_token(token, _SESSION, "/a", _BOTH)
    assert not is_form_token(token, _SESSION, "/b", _BOTH)
    assert not is_form_token(token, other, "/a", _BOTH)
    assert not is_form_token("", _SESSION, "/a", _BOTH)
    assert not is_form_token("é", _SESSION, "/a", _BOTH)
    assert not _OLD.verify("session", "one\n/a", token)


def test_over_https_the_cookie_can_be_set_by_nobody_else_and_plain_http_is_for_this_machine_alone() -> None:
    safe, plain = cookies_at("https://app.example"), cookies_at("http://127.0.0.1:7071")

    assert safe is not None
    assert plain is not None
    assert safe.set(safe.session, "v", timedelta(minutes=30)) == (
        "__Host-tenantry=v; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure"
    )
    assert not plain.session.startswith("__")
    assert "Secure" not in plain.set(plain.session, "v", timedelta(0))
    assert cookies_at("http://localhost:7071") == cookies_at("http://[::1]:1") == plain
    assert cookies_at("http://app.example") is cookies_at("http://127.0.0.1.evil.example") is None


@pytest.mark.parametrize("header", ["", "a", "x=1; ; =", "__Host-tenantry", '__Host-tenantry="', "a b=c"])
def test_whatever_cookies_come_none_is_found_where_none_is(header: str) -> None:
    cookies = cookies_at("https://app.example")
    assert cookies is not None

    assert cookies.given({"Cookie": header}, cookies.session) == ""


@pytest.mark.parametrize(
    ("key", "previous", "wrong"),
    [
        (encoded(32), "", []),
        (encoded(64), encoded(32), []),
        ("", "", []),
        (encoded(31), "", [KEY]),
        (encoded(65), "", [KEY]),
        ("not base64!", "", [KEY]),
        (encoded(32), "x", [PREVIOUS_KEY]),
        (encoded(32), encoded(32), [PREVIOUS_KEY]),
        ("", encoded(32), [PREVIOUS_KEY]),
    ],
)
def test_keys_of_the_settings_are_checked_and_never_shown(key: str, previous: str, wrong: list[str]) -> None:
    told = list(key_problems(key, previous))

    assert [one.split()[0] for one in told] == wrong
    environment = {**ENVIRONMENT, KEY: key, PREVIOUS_KEY: previous}
    if wrong:
        with pytest.raises(SettingsError) as error:
            read_settings(environment)
        assert all(not value or value not in str(error.value) for value in (key, previous) if len(value) > 1)
    else:
        settings = read_settings(environment)
        assert settings.cookie_keys == keys_of(key, previous)
        assert "kkk" not in repr(settings)


@given(st.text(max_size=60))
def test_the_way_back_is_always_a_page_of_ours(text: str) -> None:
    for back in (text, f"/api/approvals/{text}", f"https://x/{text}", f"//{text}"):
        assert local(back).startswith("/api/approvals")
        assert local(back).isprintable()
