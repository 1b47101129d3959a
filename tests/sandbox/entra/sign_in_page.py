"""The page on which a person of the sandbox signs in."""

from collections.abc import Sequence
from html import escape

from tests.sandbox.entra.authorization import Asked, able
from tests.sandbox.personas import Person


def sign_in_page(asked: Asked, persons: Sequence[Person]) -> str:
    """Who, and with or without a second factor."""
    choices = "".join(
        f'<option value="{escape(one.object_id)}">{escape(one.display_name)}</option>' for one in able(asked, persons)
    )
    what = "and gives a token for Azure in your name" if asked.wants_azure else "and learns who you are"
    wanted = f"<p>Asked for: <code>{escape(asked.claims)}</code></p>" if asked.claims else ""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Sign in</title><link rel='icon' href='data:,'>"
        "<meta name='viewport' content='width=device-width'>"
        "<body style='font-family:sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem'>"
        f"<p>Simulated Entra of {escape(asked.tenant.display_name)}</p><h1>Sign in</h1>"
        f"<p>{escape(asked.registration.display_name)} signs you in, {what}.</p>{wanted}<form method='post'>"
        f"<p><label>Sign in as <select name='person'>{choices}</select></label></p>"
        "<p><label><input type='checkbox' name='mfa' value='yes' checked> with a second factor</label></p>"
        "<p><button name='answer' value='sign-in'>Sign in</button> <button name='answer' value='back'>Back</button></p>"
        "</form></body></html>"
    )
