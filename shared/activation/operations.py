"""The HTTP operations of activation requests."""

from shared.activation import approver_triggers, engineer_triggers, webhook_triggers
from shared.activation.answers import ActivationList, ActivationPlan, ActivationView, DecisionAnswer
from shared.activation.request import ActivationBody, DecisionBody, PlanBody
from shared.activation.webhook_triggers import VerdictAnswer, VerdictMessage
from shared.callers import AppRole
from shared.formats import Guid
from shared.operations import APPROVERS, ENGINEERS, Access, Operation, Parameter, json

_ID = Parameter(name="id", kind=Guid, told="The request's id: its name at PIM.")
_CHOSEN = Parameter(name="subscriptionId", kind=Guid, told="Those of one subscription alone.")
_SEEN_BY = (AppRole.READ, AppRole.OPERATE, AppRole.APPROVE)
_REQUEST = json("The request as it is now.", ActivationView)

OPERATIONS = (
    Operation(
        name="post_activation_request",
        method="POST",
        path="activation-requests",
        told="asks for a locked role, with a plan that is priced: PIM in the engineer's own name, or the broker; `dryRun`",
        function=engineer_triggers.post_activation_request,
        who=ENGINEERS,
        body=ActivationBody,
        answers={
            200: json("The price, and what the rules say, for `dryRun`.", ActivationPlan),
            202: json(
                "It is put to PIM, or to the broker, and waits for an approver.",
                ActivationView,
                headers=("Location", "Retry-After"),
            ),
        },
        problems=(400, 409),
    ),
    Operation(
        name="get_activation_requests",
        method="GET",
        path="activation-requests",
        told="the open requests, the oldest first; of one `subscriptionId`",
        function=approver_triggers.get_activation_requests,
        who=_SEEN_BY,
        parameters=(_CHOSEN,),
        answers={200: json("Open requests.", ActivationList)},
        problems=(400,),
    ),
    Operation(
        name="get_activation_request",
        method="GET",
        path="activation-requests/{id}",
        told="a request, its price, what the money rules say, and how it was decided",
        function=approver_triggers.get_activation_request,
        who=(*_SEEN_BY, AppRole.REQUEST),
        parameters=(_ID,),
        answers={200: _REQUEST},
        problems=(400, 404),
    ),
    Operation(
        name="post_plan",
        method="POST",
        path="activation-requests/{id}/plan",
        told="adds a plan to a request of one's own that was made without one, in the portal",
        function=engineer_triggers.post_plan,
        who=ENGINEERS,
        parameters=(_ID,),
        body=PlanBody,
        answers={200: _REQUEST},
        problems=(400, 404, 409),
    ),
    Operation(
        name="post_decision",
        method="POST",
        path="activation-requests/{id}/decision",
        told="an approver approves or denies, by their own token; the first decision wins",
        function=approver_triggers.post_decision,
        who=APPROVERS,
        parameters=(_ID,),
        body=DecisionBody,
        answers={
            200: json("It is decided, and read back.", DecisionAnswer),
            202: json(
                "PIM took it, and does not show it yet; or it counts, and the quorum wants another's word too.",
                DecisionAnswer,
            ),
        },
        problems=(400, 404, 409),
    ),
    Operation(
        name="post_cancel",
        method="POST",
        path="activation-requests/{id}/cancel",
        told="the engineer takes a pending request of theirs back",
        function=engineer_triggers.post_cancel,
        who=ENGINEERS,
        parameters=(_ID,),
        answers={200: _REQUEST, 202: json("PIM took it, and does not show it yet.", ActivationView)},
        problems=(400, 404, 409),
    ),
    Operation(
        name="post_release",
        method="POST",
        path="activation-requests/{id}/release",
        told="the engineer gives the role back before its end",
        function=engineer_triggers.post_release,
        who=ENGINEERS,
        parameters=(_ID,),
        answers={200: _REQUEST, 202: json("In the mode broker: it is taken back within minutes.", ActivationView)},
        problems=(400, 404, 409),
    ),
    Operation(
        name="post_verdict",
        method="POST",
        path="webhooks/finance",
        told="finance's verdict on a request, as a signed Standard Webhook: a deny cancels it, an approve is told on",
        function=webhook_triggers.post_verdict,
        who=Access.OPEN,
        body=VerdictMessage,
        answers={202: json("It is recorded; a repeat gets the same answer.", VerdictAnswer)},
        problems=(400, 401, 403, 404, 409, 413),
    ),
)
