"""The HTTP operations of managed subscriptions."""

from shared.operations import CURSOR, OPERATORS, READERS, SUBSCRIPTION_ID, Operation, json
from shared.subscriptions import triggers
from shared.subscriptions.answers import SubscriptionPage, SubscriptionPlan, SubscriptionView
from shared.subscriptions.request import SubscriptionRequest

_UNDER_WAY = ("Location", "Retry-After")

OPERATIONS = (
    Operation(
        name="put_subscription",
        method="PUT",
        path="subscriptions/{subscriptionId}",
        told="declares which Azure roles' eligibilities on a subscription renewal looks after, and by `lockDown` whose "
        "approval their activation needs; 202 with `Location` where a run makes it so; `dryRun`",
        function=triggers.put_subscription,
        who=OPERATORS,
        parameters=(SUBSCRIPTION_ID,),
        body=SubscriptionRequest,
        answers={
            200: json("What is declared; the plan for `dryRun`.", SubscriptionView, SubscriptionPlan),
            201: json("What is declared on a subscription that is new here.", SubscriptionView),
            202: json("A run locks it down; the record shows how it goes.", SubscriptionView, headers=_UNDER_WAY),
        },
        problems=(400, 409),
    ),
    Operation(
        name="get_subscriptions",
        method="GET",
        path="subscriptions",
        told="the subscriptions on which something is declared, paged",
        function=triggers.get_subscriptions,
        who=READERS,
        parameters=(CURSOR,),
        answers={200: json("Subscriptions.", SubscriptionPage)},
        problems=(400,),
    ),
    Operation(
        name="get_subscription",
        method="GET",
        path="subscriptions/{subscriptionId}",
        told="what is declared on a subscription, on whose word until when, how it stands, what of its lock-down is in force "
        "and what stands beside it",
        function=triggers.get_subscription,
        who=READERS,
        parameters=(SUBSCRIPTION_ID,),
        answers={200: json("What is declared.", SubscriptionView)},
        problems=(400, 404),
    ),
    Operation(
        name="cancel_subscription",
        method="POST",
        path="subscriptions/{subscriptionId}/cancel",
        told="a lock-down that runs goes no further: what was written stays, what is under way is read back first",
        function=triggers.cancel_subscription,
        who=OPERATORS,
        parameters=(SUBSCRIPTION_ID,),
        answers={202: json("It comes to its end; the record shows how.", SubscriptionView, headers=_UNDER_WAY)},
        problems=(400, 404, 409),
    ),
)
