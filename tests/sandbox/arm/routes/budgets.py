"""Budgets of Cost Management, read only (section 10.2)."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import not_found
from tests.sandbox.arm.models.budgets import Budget
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import Route
from tests.sandbox.graph.wire import Wire, moment

_VERSIONS = ("2023-05-01",)
_ACTION = "Microsoft.Consumption/budgets/read"
_PATH = "/subscriptions/{subscription}/providers/Microsoft.Consumption/budgets"


def _list(call: Call) -> Answer:
    return page(call, [_wire(call.subscription, one) for one in call.subscription.budgets.values()])


def _read(call: Call) -> Answer:
    found = call.subscription.budgets.get(call.ids["budget"].lower())
    if found is None:
        raise not_found("NotFound", f"The budget '{call.ids['budget']}' was not found.")
    return Answer(body=_wire(call.subscription, found))


def _wire(subscription: Subscription, one: Budget) -> Wire:
    properties: Wire = {
        "category": one.category,
        "amount": one.amount,
        "timeGrain": one.grain,
        "timePeriod": {"startDate": moment(one.start), "endDate": moment(one.end)},
        "filter": one.filter,
        "notifications": {},
    }
    for name, amount in (("currentSpend", one.spent), ("forecastSpend", one.forecast)):
        if amount is not None:
            properties[name] = {"amount": amount, "unit": one.currency}
    return {
        "id": f"{subscription.scope.path}/providers/Microsoft.Consumption/budgets/{one.name}",
        "name": one.name,
        "type": "Microsoft.Consumption/budgets",
        "eTag": '"1d34d016a593709"',
        "properties": properties,
    }


ROUTES = (
    Route(call=f"GET {_PATH}", handler=_list, versions=_VERSIONS, action=_ACTION, lists=True, scoped=False),
    Route(call=f"GET {_PATH}/{{budget}}", handler=_read, versions=_VERSIONS, action=_ACTION, scoped=False),
)
