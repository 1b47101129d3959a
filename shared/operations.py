"""The HTTP operations of the app as data: what registers a function with the host is what describes it.

Each capability lists its own in operations.py, and api.py all of them. hosting.py registers them, document.py makes the
API document of them, and tools/readme.py the table in README.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import azure.functions as func
import msgspec

from shared.callers import AppRole
from shared.formats import Guid
from shared.orchestrations import Orchestrations
from shared.services import Services

type Route = Callable[[Services, Orchestrations, func.HttpRequest], Awaitable[func.HttpResponse]]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html"


class Access(StrEnum):
    """Who may, where no app role says it."""

    OPEN = "open"
    ANALYST = "the analyst, in person"
    SESSION = "an approver, signed in"


READERS = (AppRole.READ, AppRole.OPERATE)
OPERATORS = (AppRole.OPERATE,)
AUDITORS = (AppRole.AUDIT,)
ENGINEERS = (AppRole.REQUEST,)
APPROVERS = (AppRole.APPROVE,)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the path, where the path names it; of the query otherwise."""

    name: str
    kind: object
    told: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no problem. `content`: by media type, the types that it may have."""

    told: str
    content: Mapping[str, tuple[object, ...]] = msgspec.field(default_factory=dict)
    headers: tuple[str, ...] = ()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path.

    `problems`: the statuses beside 401 and 403, which come with the need of a token, and 503, which comes with the
    services behind the app (`behind`). `pages`: what an operation for browsers makes of the latter. `form`: the body is one.
    """

    name: str
    method: str
    path: str
    told: str
    function: Route
    who: tuple[AppRole, ...] | Access
    parameters: tuple[Parameter, ...] = ()
    body: object = None
    form: bool = False
    answers: Mapping[int, Answer]
    problems: tuple[int, ...] = ()
    behind: bool = True
    pages: Callable[[func.HttpResponse], func.HttpResponse] | None = None

    @property
    def query(self) -> tuple[Parameter, ...]:
        """The parameters that are not of the path."""
        return tuple(one for one in self.parameters if f"{{{one.name}}}" not in self.path)


TENANT_ID = Parameter(name="tenantId", kind=Guid, told="The target tenant's id.")
SUBSCRIPTION_ID = Parameter(name="subscriptionId", kind=Guid, told="The subscription's id.")
CURSOR = Parameter(name="cursor", kind=str, told="The `cursor` of the page before.")


def json(told: str, *kinds: object, headers: tuple[str, ...] = ()) -> Answer:
    """An answer of one of these types, as JSON."""
    return Answer(told=told, content={JSON: kinds}, headers=headers)


def page(told: str, headers: tuple[str, ...] = ()) -> Answer:
    """A page for a browser."""
    return Answer(told=told, content={HTML: (str,)}, headers=headers)


def elsewhere(told: str) -> Answer:
    """A browser is sent on, with a cookie where it gets one."""
    return Answer(told=told, headers=("Location", "Set-Cookie"))
