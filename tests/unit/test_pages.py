"""The administrator's pages: complete, and inert whatever a name holds."""

from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import AppId
from shared.onboarding import kit, pages
from shared.onboarding.kit_making import as_html
from shared.permissions import MULTI_TENANT, Registration, needed
from tests.unit.making import SOURCE, WANTED, record, tenant

_NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> & {tenant}"
_TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "p", "b", "a", "table", "tr", "th", "td", "code"}


class Seen(HTMLParser):
    """Every tag, attribute and link of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def every_page(text: str) -> list[str]:
    setup = Registration.SETUP
    return [
        pages.ask(setup, text, text, text, text),
        pages.being_checked(setup, text, 3, text),
        pages.nobody_waits(setup, text),
        pages.proved(setup, text, text),
        pages.not_given(setup, text, text),
        pages.unknown_link(),
    ]


@given(st.text(min_size=1) | st.just(_NASTY))
def test_no_name_or_reason_becomes_markup(text: str) -> None:
    for page in every_page(text):
        seen = Seen(page)
        assert seen.tags <= _TAGS
        assert seen.attributes <= {"lang", "charset", "class", "href", "http-equiv", "content"}
        assert set(seen.links) <= {text}


@pytest.mark.parametrize("registration", MULTI_TENANT)
def test_the_page_names_every_permission_why_and_how_to_take_it_back(registration: Registration) -> None:
    seen = Seen(pages.ask(registration, "Contoso", "Fabrikam (fabrikam.com)", "https://login.example/x", ""))

    assert all(name in seen.text for name in needed(registration))
    assert all(
        part in seen.text for part in ("Contoso", "Fabrikam (fabrikam.com)", registration.value, "To take it back")
    )
    assert seen.links == ["https://login.example/x"]


def test_what_went_wrong_last_time_is_told() -> None:
    assert "Last time: declined" in Seen(pages.ask(Registration.SETUP, "a", "b", "c", "declined")).text


def test_a_page_that_waits_looks_again_and_one_that_is_done_leads_on() -> None:
    assert 'content="3;url=https://app.example/again"' in pages.being_checked(
        Registration.SETUP, "Fabrikam", 3, "https://app.example/again"
    )
    assert Seen(pages.proved(Registration.SETUP, "Fabrikam", "https://next.example")).links == ["https://next.example"]
    assert Seen(pages.proved(Registration.ACCESS, "Fabrikam", "")).links == []


def test_nothing_is_loaded_from_anywhere_and_nobody_may_frame_it() -> None:
    policy = pages.HEADERS["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert (pages.HEADERS["Referrer-Policy"], pages.HEADERS["Cache-Control"]) == ("no-referrer", "no-store")


@given(st.text(min_size=1, max_size=60).filter(str.isprintable) | st.just(_NASTY))
def test_no_name_in_the_kit_becomes_markup(text: str) -> None:
    named = tenant(record=record(wanted=msgspec.structs.replace(WANTED, display_name=text)))
    clients = {one: AppId("a0000000-0000-4000-8000-000000000000") for one in MULTI_TENANT}
    plain = as_html(kit.markdown(tenant(), SOURCE, "Contoso", clients, []))

    page = as_html(kit.markdown(named, SOURCE, text, clients, []))

    assert Seen(page).tags == Seen(plain).tags
    assert Seen(page).links == []
