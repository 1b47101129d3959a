"""Subscriptions and their resource groups, read only."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import Route
from tests.sandbox.graph.wire import Wire

_VERSIONS = ("2021-04-01", "2022-12-01")


def _list(call: Call) -> Answer:
    """Those of the token's directory on which the caller holds any role."""
    return page(
        call,
        [
            _wire(one)
            for one in call.azure.subscriptions.values()
            if one.state != "Deleted"
            and one.tenant.id == call.caller.tenant.id
            and one.access.held(call.caller.object_id, one.scope)
        ],
    )


def _read(call: Call) -> Answer:
    return Answer(body=_wire(call.subscription))


def _list_groups(call: Call) -> Answer:
    base = f"{call.subscription.scope.path}/resourceGroups"
    return page(
        call,
        [
            {
                "id": f"{base}/{name}",
                "name": name,
                "type": "Microsoft.Resources/resourceGroups",
                "location": location,
                "properties": {"provisioningState": "Succeeded"},
            }
            for name, location in call.subscription.groups.items()
        ],
    )


def _wire(one: Subscription) -> Wire:
    return {
        "id": one.scope.path,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": one.id,
        "tenantId": one.tenant.id,
        "displayName": one.display_name,
        "state": one.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }


ROUTES = (
    Route(call="GET /subscriptions", handler=_list, versions=_VERSIONS, lists=True, scoped=False),
    Route(
        call="GET /subscriptions/{subscription}",
        handler=_read,
        versions=_VERSIONS,
        action="Microsoft.Resources/subscriptions/read",
        scoped=False,
    ),
    Route(
        call="GET /subscriptions/{subscription}/resourceGroups",
        handler=_list_groups,
        versions=_VERSIONS,
        action="Microsoft.Resources/subscriptions/resourceGroups/read",
        lists=True,
        scoped=False,
    ),
)
