"""The HTTP operations of upkeep."""

from shared.onboarding.answers import ChangePlan, TenantAccepted, TenantRecord
from shared.operations import OPERATORS, TENANT_ID, Operation, json
from shared.upkeep import triggers
from shared.upkeep.wishes import AnalystsBody, TenantWish

_ACCEPTED = json("It runs; the record shows how it goes.", TenantAccepted, headers=("Location", "Retry-After"))
_PLAN = json("The plan, for `dryRun`; or the record, where all is so already.", ChangePlan, TenantRecord)

OPERATIONS = (
    Operation(
        name="put_analysts",
        method="PUT",
        path="tenants/{tenantId}/analysts",
        told='these are the analysts from now on: `{"groupId": ...}` or `{"userIds": [...]}`; joiners get in, leavers lose '
        "eligibility and assignment",
        function=triggers.put_analysts,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        body=AnalystsBody,
        answers={200: _PLAN, 202: _ACCEPTED},
        problems=(400, 404, 409),
    ),
    Operation(
        name="confirm_leavers",
        method="POST",
        path="tenants/{tenantId}/analysts/confirm",
        told="lets those go whom a night asked about: more than a quarter of the analysts at once, more than ten, or all",
        function=triggers.confirm_leavers,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        answers={202: _ACCEPTED},
        problems=(400, 404, 409),
    ),
    Operation(
        name="patch_tenant",
        method="PATCH",
        path="tenants/{tenantId}",
        told="another `duration`, `trust`, `features`, `access`, `withoutPim` or `displayName`; with `consentLink` where "
        "Setup is needed again, for trust",
        function=triggers.patch_tenant,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        body=TenantWish,
        answers={200: _PLAN, 202: _ACCEPTED},
        problems=(400, 404, 409),
    ),
)
