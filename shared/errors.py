"""Everything that this app raises on purpose.

AutomationError
|-- SettingsError            a deployment setting is missing or wrong; names all of them at once
|-- BadRequest               a caller's input: names the field and the reason
|-- Unauthenticated          no valid token
|-- ClaimsChallenge          a valid token, but the person has to prove more first; carries what to ask for
|-- NotAllowed               a valid token that does not allow this
|-- Overtaken                somebody else was faster, so that nothing was done
|-- StoreConflict            a row changed under us, again and again
|-- StoreUnavailable         Table Storage did not answer, or its answer stayed unknown
|-- TransitionNotAllowed     a change of state that the table of transitions does not have (a bug of ours)
|-- ChainBroken              audit entries do not follow from each other
|-- NotStarted               the host did not take an orchestration; the sweeper starts it later
|-- MissingIntent            a privileged write was tried without an open intent (a bug of ours)
|-- RoleNotAllowed           a role outside the deployment's allow-list
|-- Undecidable              what is there cannot be told until a person acts
|   |-- Ambiguous            more than one object has the name that only ours should have
|   |-- StrangeAccount       the account that provisioning told of does not look like the analyst's
|   `-- PimUnavailable       the tenant has no PIM: no P2 licence, or never onboarded to it
|-- NotConsented             our registration is not present in the called tenant, or lacks a permission there
`-- RemoteError              a Microsoft API refused or failed; carries where, what and the request id
    |-- Throttled            429; carries the wait in seconds
    |-- Unavailable          5xx or no answer; `uncertain` when a write may have landed all the same
    |-- NotFound             404
    |-- Conflict             409
    |-- Forbidden            401 or 403
    `-- Rejected             any other 4xx

A RemoteError never carries a token or a body.
"""

import msgspec


class AutomationError(Exception):
    """The root: whatever this app raises on purpose."""


class SettingsError(AutomationError):
    """Raised at start when deployment settings are missing or wrong."""


class BadRequest(AutomationError):
    """Raised for a caller's input before anything is written."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Unauthenticated(AutomationError):
    """Raised when a call bears no token, or one that does not verify."""


class ClaimsChallenge(AutomationError):
    """Raised when conditional access or PIM wants more of a person: they sign in again, with these claims (JSON)."""

    def __init__(self, claims: str) -> None:
        super().__init__("more is wanted of the person before this is allowed: sign in again with the claims")
        self.claims = claims


class NotAllowed(AutomationError):
    """Raised when a caller's token lacks the app role that a route asks for."""


class Overtaken(AutomationError):
    """Raised when what was to be done is not done any more: somebody else was faster. The text says what came of it."""


class StoreConflict(AutomationError):
    """Raised when a row kept changing under us through every try."""


class StoreUnavailable(AutomationError):
    """Raised when Table Storage failed or its answer stayed unknown through every try."""


class TransitionNotAllowed(AutomationError):
    """Raised when a change would take a tenant to a state that the table of transitions does not allow."""


class ChainBroken(AutomationError):
    """Raised when a subject's audit entries do not follow from each other."""


class NotStarted(AutomationError):
    """Raised when the host did not start an orchestration."""


class MissingIntent(AutomationError):
    """Raised by a vendor client that is asked for a privileged write without an open intent."""


class RoleNotAllowed(AutomationError):
    """Raised before a request is built for a role outside the allow-list of the deployment."""


class Undecidable(AutomationError):
    """Raised when a thing cannot be read, or told from another, until a person acts."""


class Ambiguous(Undecidable):
    """Raised when more than one object has the name that only ours should have."""


class StrangeAccount(Undecidable):
    """Raised when an account in the target does not fit the analyst whose it should be."""


class PimUnavailable(Undecidable):
    """Raised when a tenant has no PIM: no P2 licence, or never onboarded to it."""


class NotConsented(AutomationError):
    """Raised when a registration is not present in a tenant, or its token there lacks permissions."""

    def __init__(self, registration: str, tenant_id: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(f"{registration} in {tenant_id}: {', '.join(missing) or 'not present'}")
        self.registration = registration
        self.tenant_id = tenant_id
        self.missing = missing


class RemoteCall(msgspec.Struct, frozen=True, kw_only=True):
    """Where a RemoteError comes from. Path without host, query or body."""

    service: str
    method: str
    path: str
    tenant_id: str
    registration: str = ""
    status: int = 0
    code: str = ""
    message: str = ""
    request_id: str = ""


class RemoteError(AutomationError):
    """Raised when a Microsoft API refused or failed."""

    def __init__(self, call: RemoteCall) -> None:
        super().__init__(
            f"{call.service} {call.method} {call.path} tenant_id={call.tenant_id} status={call.status} "
            f"code={call.code} request_id={call.request_id}"
        )
        self.call = call


class Throttled(RemoteError):
    """Raised for 429 when the wait is longer than an activity should sit out."""

    def __init__(self, call: RemoteCall, *, seconds: float) -> None:
        super().__init__(call)
        self.seconds = seconds


class Unavailable(RemoteError):
    """Raised for 5xx and for lost answers. `uncertain`: a write may have landed. `seconds`: the wait, where it was told."""

    def __init__(self, call: RemoteCall, *, uncertain: bool, seconds: float = 0.0) -> None:
        super().__init__(call)
        self.uncertain = uncertain
        self.seconds = seconds


class NotFound(RemoteError):
    """Raised for 404: absent, or not replicated yet."""


class Conflict(RemoteError):
    """Raised for 409: something of that key is there already."""


class Forbidden(RemoteError):
    """Raised for 401 and 403."""


class Rejected(RemoteError):
    """Raised for every other 4xx: the request itself was refused."""
