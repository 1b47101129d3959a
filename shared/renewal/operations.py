"""The HTTP operations of renewal."""

from typing import Annotated

from msgspec import Meta

from shared.operations import CURSOR, OPERATORS, READERS, SUBSCRIPTION_ID, TENANT_ID, Operation, Parameter, json
from shared.renewal import review_triggers, triggers
from shared.renewal.answers import (
    Day,
    EndingPage,
    RenewalAccepted,
    RenewalBody,
    RenewalDay,
    RenewalPlan,
    ReviewBody,
    ReviewView,
    SubscriptionReviewView,
)

type _Days = Annotated[int, Meta(ge=1, le=366)]

OPERATIONS = (
    Operation(
        name="post_renewal",
        method="POST",
        path="renewals",
        told="renews now what is due, of all tenants and subscriptions or of those in `tenantIds` and `subscriptionIds`; 202 "
        "with `Location`",
        function=triggers.post_renewal,
        who=OPERATORS,
        body=RenewalBody,
        answers={
            200: json("The plan, for `dryRun`.", RenewalPlan),
            202: json(
                "It runs; the day's report shows how it goes.", RenewalAccepted, headers=("Location", "Retry-After")
            ),
        },
        problems=(400, 409),
    ),
    Operation(
        name="get_renewal",
        method="GET",
        path="renewals/{date}",
        told="a day's renewals: of each tenant and subscription what was extended, renewed, kept, refused and why, and when "
        "the next one ends",
        function=triggers.get_renewal,
        who=READERS,
        parameters=(Parameter(name="date", kind=Day, told="The date in UTC."),),
        answers={200: json("The day's report.", RenewalDay)},
        problems=(400, 404),
    ),
    Operation(
        name="cancel_renewal",
        method="POST",
        path="renewals/{date}/cancel",
        told="a day's renewals that run go no further: what was written stays, what is under way is read back first",
        function=triggers.cancel_renewal,
        who=OPERATORS,
        parameters=(Parameter(name="date", kind=Day, told="The date in UTC."),),
        answers={
            202: json(
                "It comes to its end; the day's report shows how.", RenewalAccepted, headers=("Location", "Retry-After")
            )
        },
        problems=(400, 409),
    ),
    Operation(
        name="get_eligibilities",
        method="GET",
        path="eligibilities",
        told="the eligibilities of all tenants and subscriptions that end soon, by end, paged",
        function=triggers.get_eligibilities,
        who=READERS,
        parameters=(Parameter(name="endingWithinDays", kind=_Days, told="How soon; 30 unless given."), CURSOR),
        answers={200: json("Eligibilities, the earliest end first.", EndingPage)},
        problems=(400,),
    ),
    Operation(
        name="review_subscription",
        method="POST",
        path="subscriptions/{subscriptionId}/review",
        told="a person who has none of the subscription's eligibilities says that they are still needed, for a year or until "
        "`reviewBy`",
        function=review_triggers.review_subscription,
        who=OPERATORS,
        parameters=(SUBSCRIPTION_ID,),
        body=ReviewBody,
        answers={200: json("Whose word it is, and until when.", SubscriptionReviewView)},
        problems=(400, 404),
    ),
    Operation(
        name="review_tenant",
        method="POST",
        path="tenants/{tenantId}/review",
        told="a person who is no analyst of the tenant says that its eligibilities are still needed, for a year or until "
        "`reviewBy`",
        function=review_triggers.review_tenant,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        body=ReviewBody,
        answers={200: json("Whose word it is, and until when.", ReviewView)},
        problems=(400, 404),
    ),
)
