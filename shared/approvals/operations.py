"""The HTTP operations of the approval pages."""

import msgspec

from shared.approvals import signing_in, triggers
from shared.approvals.browsers import unanswered
from shared.formats import Guid
from shared.operations import Access, Operation, Parameter, elsewhere, page

_ID = Parameter(name="id", kind=Guid, told="The request's name in PIM.")
_TOLD = Parameter(name="told", kind=str, told="What was just done, for the page to say.")
_TO_SIGN_IN = elsewhere("Nobody is signed in: the browser goes to sign in, and comes back.")
_NO_COOKIE = page("The browser keeps no cookie.")
_NONE = page("There is no such request, or not for this person.")


class SignOutForm(msgspec.Struct):
    """What the page posts to sign out."""

    form: str = ""


class DecisionForm(msgspec.Struct):
    """What the page posts to decide. `form` proves that the page was ours, and shown to this session; `priced` tells
    with which price.
    """

    form: str = ""
    verdict: str = ""
    reason: str = ""
    priced: str = ""


OPERATIONS = (
    Operation(
        name="get_approvals",
        method="GET",
        path="approvals",
        told="the page of what waits for the approver",
        function=triggers.get_approvals,
        who=Access.SESSION,
        parameters=(_TOLD,),
        answers={200: page("What waits."), 303: _TO_SIGN_IN, 400: _NO_COOKIE},
        pages=unanswered,
    ),
    Operation(
        name="get_approval",
        method="GET",
        path="approvals/{id}",
        told="the page of one request: who, what, why, what it costs, what is left of the budget",
        function=triggers.get_approval,
        who=Access.SESSION,
        parameters=(_ID, _TOLD),
        answers={200: page("The request."), 303: _TO_SIGN_IN, 400: _NO_COOKIE, 404: _NONE},
        pages=unanswered,
    ),
    Operation(
        name="post_approval",
        method="POST",
        path="approvals/{id}",
        told="takes the page's form; the decision follows when its person comes back from Entra with their own token",
        function=triggers.post_approval,
        who=Access.SESSION,
        parameters=(_ID,),
        body=DecisionForm,
        form=True,
        answers={
            200: page("The way to Entra.", headers=("Set-Cookie",)),
            400: page("The form lacks something."),
            403: page("No session, or a form that is not ours."),
            404: _NONE,
            409: page("It is decided, or over."),
        },
        pages=unanswered,
    ),
    Operation(
        name="get_sign_in",
        method="GET",
        path="sign-in",
        told="the way to Entra, for a session of half an hour at the pages",
        function=signing_in.get_sign_in,
        who=Access.OPEN,
        parameters=(Parameter(name="back", kind=str, told="The page to come back to."),),
        answers={303: elsewhere("To Entra.")},
        pages=unanswered,
    ),
    Operation(
        name="get_sign_in_callback",
        method="GET",
        path="sign-in/callback",
        told="where Entra sends the browser back; each state is spent once, in the browser that began",
        function=signing_in.get_callback,
        who=Access.OPEN,
        parameters=(
            Parameter(name="state", kind=str, told="The single-use state."),
            Parameter(name="code", kind=str, told="Entra's code."),
            Parameter(name="error", kind=str, told="Entra's, where nobody signed in."),
        ),
        answers={
            303: elsewhere("To the page, with a session."),
            400: page("The sign-in is over, or was none."),
            403: page("The person is no approver."),
        },
        pages=unanswered,
    ),
    Operation(
        name="post_sign_out",
        method="POST",
        path="sign-out",
        told="ends the session of the browser",
        function=signing_in.post_sign_out,
        who=Access.SESSION,
        body=SignOutForm,
        form=True,
        answers={200: page("Signed out.", headers=("Set-Cookie",))},
        pages=unanswered,
    ),
)
