"""The pages that a target tenant's administrator sees. No script, nothing loaded from elsewhere; all text escaped.
Pure.
"""

from collections.abc import Sequence
from html import escape

from shared.permissions import CALLS, Registration, needed
from shared.tenants.record import Goal

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "h1{font-size:1.5rem}a.go{display:inline-block;background:#0f6cbd;color:#fff;padding:.6rem 1.2rem;border-radius:4px;"
    "text-decoration:none}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;text-align:left;"
    "padding:.4rem;vertical-align:top}code{font-size:.9em}pre{overflow:auto;background:#f5f5f5;padding:.6rem}"
    ".bad{border-left:4px solid #c50f1f;padding-left:1rem}"
)

PURPOSES = {
    Registration.SETUP: "sets up cross-tenant access, once. You remove it when the tenant is ready.",
    Registration.ACCESS: "stays: it makes the analysts eligible for Security Reader, and renews that before it ends. By its "
    "permission it could make anyone eligible for any role; Tenantry refuses every role but those on its deployment's "
    "allow-list.",
    Registration.HUNT: "stays, to query the Defender data of the tenant (advanced hunting). It only reads.",
}

_STAYS = {
    Registration.SETUP: "What it set up stays: you undo it in Cross-tenant access settings.",
    Registration.ACCESS: "The analysts' eligibilities stay until their end: remove them in Privileged Identity Management.",
    Registration.HUNT: "Nothing of it stays.",
}


_PURPOSES_IN_THE_END = {
    Registration.SETUP: "puts cross-tenant access back as it was before. You remove it afterwards.",
    Registration.ACCESS: "takes the analysts' eligibilities back. You remove it afterwards.",
}
_STAYS_IN_THE_END = {
    Registration.SETUP: "What it did not put back by then stays: you undo it in Cross-tenant access settings.",
    Registration.ACCESS: _STAYS[Registration.ACCESS],
}


def ask(
    registration: Registration,
    source: str,
    target: str,
    link: str,
    problem: str,
    kit: str = "",
    goal: Goal = Goal.ONBOARDING,
) -> str:
    """The page that asks for consent: what, why, how to take it back, and the way to Entra. Below, the kit, as HTML."""
    ends = goal is Goal.OFFBOARDING
    purpose = (_PURPOSES_IN_THE_END if ends else PURPOSES)[registration]
    stays = (_STAYS_IN_THE_END if ends else _STAYS)[registration]
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape('; '.join(why))}</td></tr>"
        for name, why in reasons(registration)
    )
    warning = f'<p class="bad">Last time: {escape(problem)}</p>' if problem else ""
    return _page(
        f"{registration.value} for {target}",
        f"<p><b>{escape(source)}</b> asks the administrator of <b>{escape(target)}</b> to add the application "
        f"<b>{escape(registration.value)}</b>, which {escape(purpose)}</p>{warning}"
        f"<table><tr><th>Permission</th><th>What it is for</th></tr>{rows}</table>"
        "<p><b>To take it back:</b> Entra admin center, Enterprise applications, "
        f"{escape(registration.value)}, Properties, Delete. Its access ends within about an hour; nobody needs to be told. "
        f"{escape(stays)}</p>"
        "<p>Microsoft Entra shows you the same permissions again before you decide. A Privileged Role Administrator or "
        "Global Administrator is needed.</p>"
        f'<p><a class="go" href="{escape(link, quote=True)}">Go to Microsoft Entra</a></p>'
        f"{_section(kit)}",
    )


def being_checked(registration: Registration, target: str, seconds: int, here: str) -> str:
    """The page after consent came back, until a token proved it."""
    return _page(
        "Being checked",
        f"<p>Thank you. The consent to <b>{escape(registration.value)}</b> for <b>{escape(target)}</b> is being checked "
        "with Microsoft Entra. This page looks again by itself.</p>",
        refresh=f"{seconds};url={here}",
    )


def proved(registration: Registration, target: str, following: str, goal: Goal = Goal.ONBOARDING) -> str:
    """The page when a consent is proved; it leads on to the next one, if any."""
    lead = (
        f'<p>One more is needed.</p><p><a class="go" href="{escape(following, quote=True)}">Go on</a></p>'
        if following
        else f"<p>Nothing more is needed from you. The {goal.value} goes on by itself.</p>"
    )
    return _page("Done", f"<p><b>{escape(registration.value)}</b> is present in <b>{escape(target)}</b>.</p>{lead}")


def not_given(registration: Registration, reason: str, again: str) -> str:
    """The page when no consent came back, or one for another tenant."""
    return _page(
        "No consent",
        f'<p class="bad">{escape(reason)}</p><p>{escape(registration.value)} was not added. Nothing was changed.</p>'
        f'<p><a class="go" href="{escape(again, quote=True)}">Look again at what is asked</a></p>',
    )


def nobody_waits(registration: Registration, target: str, goal: Goal = Goal.ONBOARDING) -> str:
    """The page when the run that asked was stopped, came to its end in another way, or does without."""
    return _page(
        "Nobody waits for this",
        f"<p>The {goal.value} of <b>{escape(target)}</b> does not wait for <b>{escape(registration.value)}</b> any more. "
        "Ask the sender of the link whether it is still needed.</p>",
    )


def unknown_link() -> str:
    """The page for a state that is not ours, or no longer."""
    return _page("Unknown link", "<p>This link is not valid, or not any more. Ask the sender for a new one.</p>")


def try_again() -> str:
    """The page when a service behind the app does not answer."""
    return _page(
        "Try again", "<p>A service behind this page does not answer. Nothing is lost: reload it in a minute.</p>"
    )


def not_set_up() -> str:
    """The page when a service behind the app refuses it."""
    return _page(
        "Not set up", "<p>The sender's application is not set up completely. Please tell the sender of the link.</p>"
    )


def reasons(registration: Registration) -> Sequence[tuple[str, list[str]]]:
    """Each permission of a registration, and what for."""
    return [
        (
            name,
            list(
                dict.fromkeys(
                    call.why for call in CALLS if registration in call.registrations and name in call.permissions
                )
            ),
        )
        for name in needed(registration)
    ]


def _section(kit: str) -> str:
    told = "All of it, for your files: the sender can give you the same text as a file."
    return f"<hr><details><summary>{told}</summary>{kit}</details>" if kit else ""


def _page(title: str, body: str, *, refresh: str = "") -> str:
    again = f'<meta http-equiv="refresh" content="{escape(refresh, quote=True)}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{again}'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
