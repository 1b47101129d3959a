"""The HTTP operations of managed subscriptions."""

from shared.operations import CURSOR, OPERATORS, READERS, SUBSCRIPTION_ID, Operation, json
from shared.subscriptions import triggers
from shared.subscriptions.answers import SubscriptionPage, SubscriptionPlan, SubscriptionView
from shared.subscriptions.request import SubscriptionRequest

OPERATIONS = (
    Operation(
        name="put_subscription",
        method="PUT",
        path="subscriptions/{subscriptionId}",
        told="declares which Azure roles' eligibilities on a subscription renewal looks after; it makes none; `dryRun`",
        function=triggers.put_subscription,
        who=OPERATORS,
        parameters=(SUBSCRIPTION_ID,),
        body=SubscriptionRequest,
        answers={
            200: json("What is declared; the plan for `dryRun`.", SubscriptionView, SubscriptionPlan),
            201: json("What is declared on a subscription that is new here.", SubscriptionView),
        },
        problems=(400,),
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
        told="what is declared on a subscription, on whose word until when, and how it stands",
        function=triggers.get_subscription,
        who=READERS,
        parameters=(SUBSCRIPTION_ID,),
        answers={200: json("What is declared.", SubscriptionView)},
        problems=(400, 404),
    ),
)
