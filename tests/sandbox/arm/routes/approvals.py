"""Approvals of activations, at the tenant and at a scope: what waits for me, and my decision (section 5)."""

import base64
import json
from collections.abc import Iterator

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import ArmError, bad_request, not_found
from tests.sandbox.arm.models.activations import Activation
from tests.sandbox.arm.models.approvals import Approval
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import AUTHORIZATION, Route
from tests.sandbox.graph.wire import Body, Wire, a_text, an_object, moment, nullable, one_of

APPROVALS = f"/providers/{AUTHORIZATION}/roleAssignmentApprovals"
_VERSIONS = ("2021-01-01-preview",)
_DECISION = {"reviewResult": one_of(("Approve", "Deny")), "justification": nullable(a_text)}
_WRAPPED = an_object({"properties": an_object(_DECISION, required=("reviewResult",))}, required=("properties",))
_FLAT = an_object(_DECISION, required=("reviewResult",))


def waits_for(call: Call, subscription: Subscription, activation: Activation) -> bool:
    """Whether the caller, a person, is asked to decide it now. Nobody decides on their own request."""
    approval, caller = activation.approval, call.caller
    if approval is None or caller.is_application or activation.request.requestor_id == caller.object_id:
        return False
    if subscription.activations.status_of(activation) != "PendingApproval":
        return False
    return _is_asked(call, subscription, approval)


def _is_asked(call: Call, subscription: Subscription, approval: Approval) -> bool:
    nested = call.ground.switches.is_flipped("arm-nested-groups-approve")
    return approval.is_for(call.caller.object_id, subscription.tenant, nested=nested)


def _everywhere(call: Call) -> Iterator[tuple[Subscription, Activation]]:
    """Of the scope that the path names, or of the whole directory."""
    for subscription in call.azure.subscriptions.values():
        if subscription.tenant.id == call.caller.tenant.id and (call.at is None or call.at[0] is subscription):
            for one in subscription.activations.requests.values():
                if one.approval is not None:
                    yield subscription, one


def _list(call: Call) -> Answer:
    me, name = call.caller.object_id, call.filter.name if call.filter else ""
    found = [
        (subscription, one)
        for subscription, one in _everywhere(call)
        if (name == "asApprover()" and waits_for(call, subscription, one))
        or (name == "asTarget()" and one.request.wanted.principal_id == me)
        or (name == "asCreatedBy()" and one.request.requestor_id == me)
    ]
    return page(call, [_wire(call, *each) for each in found])


def _read(call: Call) -> Answer:
    return Answer(body=_wire(call, *_find(call)))


def _list_stages(call: Call) -> Answer:
    return page(call, [_stage(call, *_find(call))])


def _read_stage(call: Call) -> Answer:
    return Answer(body=_stage(call, *_find_stage(call)))


def _decide(call: Call) -> Answer:
    """The first decision ends it; the second hears so, under a status that no source tells."""
    subscription, activation = _find_stage(call)
    approval, decision = activation.approval, _decision(call)
    if approval is None:
        raise LookupError(call.url)
    _challenge(call)
    if subscription.activations.status_of(activation) != "PendingApproval":
        conflict = not call.ground.switches.is_flipped("arm-second-decision-is-400")
        text = "The approval stage has already been completed."
        raise ArmError(409, "RequestAlreadyReviewed", text) if conflict else bad_request("InvalidRequest", text)
    if approval.needs_justification and not (decision.text_or_none("justification") or "").strip():
        raise bad_request("JustificationRequired", "A justification is required.")
    approval.result = decision.text("reviewResult")
    approval.justification = decision.text_or_none("justification") or ""
    approval.reviewer_id, approval.reviewed_at = call.caller.object_id, call.ground.now()
    subscription.activations.decided(activation, approved=approval.result == "Approve")
    if call.ground.switches.is_flipped("arm-decision-answers-nothing"):
        return Answer(status=204)
    return Answer(body=_stage(call, subscription, activation))


def _decision(call: Call) -> Body:
    """Two shapes are in circulation (section 5.1), and it is open which of them is taken."""
    flat = call.ground.switches.is_flipped("arm-decision-is-flat")
    inner = call.body if flat else call.body.object("properties")
    if inner is None or not inner.text_or_none("reviewResult"):
        raise bad_request("InvalidRequestContent", "The request content was invalid: no review result.")
    return inner


def _challenge(call: Call) -> None:
    """Conditional access wants more of this person (section 6)."""
    wanted = call.azure.challenged.get(call.caller.object_id)
    if wanted is not None and wanted not in call.caller.contexts:
        raise _insufficient_claims(wanted)


def _insufficient_claims(context: str) -> ArmError:
    """A claims challenge: the client signs in again with what it holds."""
    wanted = json.dumps({"access_token": {"acrs": {"essential": True, "value": context}}})
    claims = base64.b64encode(wanted.encode()).decode()
    challenge = f'Bearer authorization_uri="https://login.windows.net/", error="insufficient_claims", claims="{claims}"'
    text = "Continuous access evaluation resulted in a claims challenge."
    return ArmError(401, "InvalidAuthenticationToken", text, headers={"WWW-Authenticate": challenge})


def _find_stage(call: Call) -> tuple[Subscription, Activation]:
    found = _find(call)
    if found[1].approval is None or found[1].approval.stage_id != call.ids["stage"].lower():
        raise not_found("ApprovalStageNotFound", f"The stage '{call.ids['stage']}' is not found.")
    return found


def _find(call: Call) -> tuple[Subscription, Activation]:
    """For those who are asked. An application never is, and the requester is told so."""
    for subscription, one in _everywhere(call):
        if one.approval is None or one.approval.id != call.ids["id"].lower():
            continue
        if one.request.requestor_id == call.caller.object_id:
            raise bad_request("InvalidRequest", "Request doesn't allow Self-Approval.")
        if not call.caller.is_application and _is_asked(call, subscription, one.approval):
            return subscription, one
    raise not_found("RoleAssignmentApprovalNotFound", f"The approval '{call.ids['id']}' is not found.")


def _base(call: Call, approval: Approval) -> str:
    return f"{call.scope.path if call.at else ''}{APPROVALS}/{approval.id}"


def _wire(call: Call, subscription: Subscription, activation: Activation) -> Wire:
    approval = activation.approval
    if approval is None:
        raise LookupError(call.url)
    return {
        "id": _base(call, approval),
        "name": approval.id,
        "type": f"{AUTHORIZATION}/roleAssignmentApprovals",
        "properties": {"stages": [_stage(call, subscription, activation)]},
    }


def _stage(call: Call, subscription: Subscription, activation: Activation) -> Wire:
    approval = activation.approval
    if approval is None:
        raise LookupError(call.url)
    pending = subscription.activations.status_of(activation) == "PendingApproval"
    over = "Completed" if approval.reviewer_id is not None or approval.closed else "Expired"
    return {
        "id": f"{_base(call, approval)}/stages/{approval.stage_id}",
        "name": approval.stage_id,
        "type": f"{AUTHORIZATION}/roleAssignmentApprovals/stages",
        "properties": {
            "displayName": None,
            "assignedToMe": _is_asked(call, subscription, approval),
            "status": "InProgress" if pending else over,
            "reviewedBy": _reviewer(subscription, approval),
            "reviewedDateTime": moment(approval.reviewed_at) if approval.reviewed_at else None,
            "reviewResult": approval.result,
            "justification": approval.justification,
        },
    }


def _reviewer(subscription: Subscription, approval: Approval) -> Wire | None:
    if approval.reviewer_id is None:
        return None
    user = subscription.tenant.directory.users.get(approval.reviewer_id)
    return {
        "principalId": approval.reviewer_id,
        "principalType": "user",
        "principalName": user.display_name if user else None,
        "userPrincipalName": user.user_principal_name if user else None,
    }


def _either(value: object, at: str) -> None:
    """Wrapped or flat; the handler knows which is taken here."""
    shape = _WRAPPED if isinstance(value, dict) and "properties" in value else _FLAT
    shape(value, at)


def _routes(prefix: str, *, scoped: bool) -> tuple[Route, ...]:
    one, stages = f"{prefix}/{{id}}", f"{prefix}/{{id}}/stages"
    return (
        Route(
            call=f"GET {prefix}",
            handler=_list,
            versions=_VERSIONS,
            filters=frozenset({"asApprover()", "asTarget()", "asCreatedBy()"}),
            lists=True,
            scoped=scoped,
        ),
        Route(call=f"GET {one}", handler=_read, versions=_VERSIONS, scoped=scoped),
        Route(call=f"GET {stages}", handler=_list_stages, versions=_VERSIONS, scoped=scoped),
        Route(call=f"GET {stages}/{{stage}}", handler=_read_stage, versions=_VERSIONS, scoped=scoped),
        Route(call=f"PATCH {stages}/{{stage}}", handler=_decide, versions=_VERSIONS, body=_either, scoped=scoped),
        Route(call=f"PUT {stages}/{{stage}}", handler=_decide, versions=_VERSIONS, body=_either, scoped=scoped),
    )


ROUTES = (*_routes(APPROVALS, scoped=False), *_routes("/roleAssignmentApprovals", scoped=True))
