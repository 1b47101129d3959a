"""The approval pages: everything is escaped, sums are written as people read them, and nothing unknown is zero."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.activation.cost import Estimate, Line
from shared.activation.dearest import Dearest
from shared.activation.plan import OperatingSystem
from shared.approvals.pages import Pages, headers
from shared.approvals.session import Keys, Session
from shared.approvals.views import (
    WORDS,
    Budget,
    Earlier,
    Outcome,
    Shown,
    Told,
    Verdict,
    Waiting,
    count,
    left_until,
    length,
    moment,
    money,
)
from shared.identifiers import ObjectId

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_KEYS = Keys((b"k" * 32,))
_SESSION = Session(
    person_id=ObjectId("p"), name="Fiona <Finance>", username="f", number="n", until=_NOW + timedelta(minutes=30)
)
_NASTY = "<script>alert('x')</script> & \"so\" {{ 7*7 }}"


def page(request: Shown, told: Told | None = None, **how: str) -> str:
    return Pages(_KEYS, _SESSION, _NOW).request(request, told, **how)


def price(**fields: object) -> Estimate:
    given: dict[str, object] = {
        "currency": "USD",
        "lines": (
            Line(
                what="2 x Standard_D4s_v5, linux",
                meter="D4s v5",
                quantity=Decimal(2),
                unit="1 Hour",
                unit_price=Decimal("0.192"),
                hourly=Decimal("0.384"),
                for_hours=Decimal("3.07"),
                monthly=Decimal("280.32"),
                for_days=Decimal("46.08"),
            ),
        ),
        "hourly": Decimal("0.384"),
        "hours": 8,
        "for_hours": Decimal("3.07"),
        "days": 5,
        "for_days": Decimal("46.08"),
        "monthly": Decimal("280.32"),
        "left_out": ("traffic",),
        "notes": ("A month has 730 hours",),
        "unpriced": (),
        "priced_at": _NOW,
        "oldest_price": _NOW,
        **fields,
    }
    return Estimate(**given)  # type: ignore[arg-type]  # by name, as given


def shown(**fields: object) -> Shown:
    given: dict[str, object] = {
        "path": "/api/approvals/s/r",
        "who": "Emil Engineer",
        "role": "Virtual Machine Contributor",
        "where": "Production",
        "subscription_id": "acb65a33-f3b9-521b-ae4d-b9f0a802bcfa",
        "hours": "8 hours",
        "reason": "A build machine",
        "ticket": "TNT-1",
        "asked_at": _NOW - timedelta(hours=1),
        "until": _NOW + timedelta(hours=23),
        **fields,
    }
    return Shown(**given)  # type: ignore[arg-type]  # as above


def test_a_request_shows_who_what_how_long_why_and_the_price_lines() -> None:
    html = page(
        shown(price=price(), budget=Budget(amount=Decimal(1000), currency="USD", spent=Decimal(940), left=Decimal(60)))
    )

    for text in (
        "Emil Engineer asks for Virtual Machine Contributor",
        "Production",
        "8 hours",
        "A build machine",
        "23 h left",
        "46.08 USD",
        "280.32 USD",
        "0.1920 USD / 1 Hour",
        "Left out: traffic.",
        "60.00 USD",
        'value="approve"',
        'value="deny"',
    ):
        assert text in html
    assert html.count("not known") == 2  # the forecast, and what this request adds
    assert "at least" not in html


def test_whatever_people_write_is_shown_as_text() -> None:
    html = page(
        shown(
            who=_NASTY,
            reason=_NASTY,
            ticket=_NASTY,
            where=_NASTY,
            rules=(_NASTY,),
            verdicts=(Verdict(whose="Finance", by=_NASTY, approve=False, reason=_NASTY, at=_NOW),),
            earlier=(Earlier(asked_at=_NOW, hours=_NASTY, reason=_NASTY, outcome=_NASTY, cost=_NASTY),),
            price=price(left_out=(_NASTY,), notes=(_NASTY,), unpriced=(_NASTY,)),
            budget=Budget(amount=Decimal(1), currency=_NASTY, notes=(_NASTY,)),
        ),
        reason=_NASTY,
        problem=_NASTY,
    )

    assert "<script" not in html
    assert "Fiona <" not in html
    assert "{{ 7*7 }}" in html
    assert html.count("&lt;script&gt;") >= 15


def test_a_price_with_parts_that_nobody_knows_is_at_least() -> None:
    html = page(shown(price=price(unpriced=("an ultra disk",))))

    assert html.count("at least") == 6
    assert "No price was found for: an ultra disk" in html


def test_a_request_without_a_plan_says_so_and_shows_what_it_may_come_to() -> None:
    dearest = Dearest(
        size="Standard_E96s_v5",
        region="westeurope",
        operating_system=OperatingSystem.LINUX,
        hourly=Decimal("7.2576"),
        currency="USD",
        unpriced=(),
        oldest_price=_NOW,
    )

    html = page(shown(dearest=dearest))

    assert "Unpriced." in html
    assert "Standard_E96s_v5 in westeurope, costs 7.26 USD an hour" in html
    assert "0.00" not in html


def test_what_is_decided_or_not_theirs_has_no_form() -> None:
    decided = page(shown(outcome=Outcome(words="Approved by Frank.", at=_NOW, reason="within budget")))
    own = page(shown(hindrance="Nobody decides on their own request."))

    assert "Approved by Frank." in decided
    assert "within budget" in decided
    assert "Nobody decides" in own
    for html in (decided, own):
        assert 'name="verdict"' not in html


@pytest.mark.parametrize("told", Told)
def test_everything_that_may_be_told_has_its_words(told: Told) -> None:
    assert WORDS[told] in page(shown(), told).replace("&#39;", "'")


def test_what_waits_is_listed_with_its_cost_and_an_empty_list_says_so() -> None:
    one = Waiting(
        link="/api/approvals/s/r",
        who="Emil",
        role="VM",
        where="Production",
        hours="8 hours",
        reason=_NASTY,
        asked_at=_NOW,
        until=_NOW,
        cost="46.08 USD",
    )
    pages = Pages(_KEYS, _SESSION, _NOW)

    assert "46.08 USD" in pages.waiting([one])
    assert "<script" not in pages.waiting([one])
    assert "Nothing waits" in pages.waiting([])
    assert "And 23 more" in pages.waiting([one], 23)


def test_without_a_session_nobody_is_named_and_nothing_can_be_signed_out_of() -> None:
    html = Pages(Keys(), None, _NOW).message("Not now", "Later.", refresh="0;url=/x")

    assert "<form" not in html
    assert 'http-equiv="refresh" content="0;url=/x"' in html


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("1234567.891"), "1,234,567.89 USD"),
        (Decimal("0.0042"), "0.0042 USD"),
        (Decimal("0.999"), "0.9990 USD"),
        (Decimal("0.91"), "0.91 USD"),
        (Decimal("0.910000"), "0.91 USD"),
        (Decimal("1.005"), "1.01 USD"),
        (Decimal(0), "0.00 USD"),
        (None, "not known"),
    ],
)
def test_sums_are_rounded_as_people_round(amount: Decimal | None, text: str) -> None:
    assert money(amount, "USD") == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "over"), (-1, "over"), (0.5, "1 min left"), (59, "59 min left"), (60, "1 h left"), (90, "1 h 30 min left")],
)
def test_how_long_is_left_is_told_in_words(minutes: float, text: str) -> None:
    assert left_until(_NOW + timedelta(minutes=minutes), _NOW) == text


def test_times_say_that_they_are_utc_and_quantities_end_without_zeros() -> None:
    assert moment(_NOW) == "2 March 2026, 09:00 UTC"
    assert [count(Decimal(one)) for one in ("2", "2.50", "1E+2", "0.125")] == ["2", "2.5", "100", "0.125"]


_SUM = st.decimals(min_value=0, max_value=10**9, places=2)


@given(_SUM, _SUM, st.none() | _SUM)
def test_the_bar_holds_everything_whatever_is_spent_and_asked(
    amount: Decimal, spent: Decimal, asked: Decimal | None
) -> None:
    budget = Budget(amount=amount, currency="USD", spent=spent, left=amount - spent, asked=asked)
    bar = budget.bar
    assert bar is not None

    assert 0 <= bar.spent + bar.asked <= Decimal("100.01")
    assert 0 <= bar.end <= 100
    assert budget.is_over is (None if asked is None else spent + asked > amount)


def test_where_nobody_knows_what_is_spent_there_is_no_bar_and_nothing_is_said_to_be_left() -> None:
    unknown = Budget(amount=Decimal(1000), currency="USD", asked=Decimal(5000), notes=("nobody knows what is spent",))

    html = page(shown(price=price(), budget=unknown))

    assert (unknown.bar, unknown.is_over) == (None, None)
    assert "<svg" not in html
    assert "nobody knows what is spent" in html
    assert "0.00 USD" not in html.replace("1,000.00 USD", "").replace("5,000.00 USD", "")


def test_what_may_not_be_approved_can_still_be_denied() -> None:
    html = page(shown(held_back="finance's verdict is demanded"))

    assert 'value="approve"' not in html
    assert 'value="deny"' in html
    assert "finance&#39;s verdict is demanded" in html


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (None, "as long as the role allows"),
        (60, "1 hour"),
        (480, "8 hours"),
        (90, "1 hour 30 minutes"),
        (1, "1 minute"),
        (0, "0 minutes"),
    ],
)
def test_how_long_it_is_for_is_said_in_words(minutes: int | None, text: str) -> None:
    assert length(minutes) == text


def test_one_style_sheet_is_in_the_page_and_its_hash_in_the_policy() -> None:
    found = re.findall(r"<style>(.*?)</style>", page(shown()), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()

    assert len(found) == 1
    assert f"style-src 'sha256-{digest}'" in headers()["Content-Security-Policy"]


def luminance(colour: str) -> float:
    """Relative luminance, as the accessibility guidelines (WCAG 2.2) define it."""
    digits = colour.lstrip("#") if len(colour) == 7 else "".join(2 * one for one in colour.lstrip("#"))
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_buttons_have_the_contrast_that_everybody_can_read(scheme: int) -> None:
    [style] = re.findall(r"<style>(.*?)</style>", page(shown()), re.DOTALL)
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", re.findall(r":root\{(.*?)\}", style)[scheme]))

    text = [(ink, paper) for ink in ("ink", "dim", "accent", "bad") for paper in ("paper", "card")]
    buttons = [("on", "accent"), ("on", "good")]
    assert [pair for pair in (*text, *buttons) if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    graphics = [("spent", "paper"), ("asked", "paper"), ("ink", "rule"), ("spent", "rule"), ("asked", "rule")]
    assert [pair for pair in graphics if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []
