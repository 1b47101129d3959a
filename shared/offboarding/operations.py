"""The HTTP operations of offboarding."""

from typing import Literal

from shared.offboarding import triggers
from shared.onboarding.answers import OffboardingPlan, TenantAccepted, TenantRecord
from shared.operations import OPERATORS, TENANT_ID, Operation, Parameter, json

OPERATIONS = (
    Operation(
        name="delete_tenant",
        method="DELETE",
        path="tenants/{tenantId}",
        told="lets the tenant go: everybody leaves, what the app made goes, what was there before is put back on both sides; "
        "with `consentLink` where Setup is needed again. Again: goes on where it stopped",
        function=triggers.delete_tenant,
        who=OPERATORS,
        parameters=(
            TENANT_ID,
            Parameter(name="dryRun", kind=bool, told="`true`: only the plan."),
            Parameter(
                name="target",
                kind=Literal["kit"],
                told="`kit`: what lacks a consent in the target is left to its administrator, with the kit's commands.",
            ),
        ),
        answers={
            200: json(
                "The plan, for `dryRun`; or the record, where it was let go already.", OffboardingPlan, TenantRecord
            ),
            202: json("It runs; the record shows how it goes.", TenantAccepted, headers=("Location", "Retry-After")),
        },
        problems=(400, 404, 409),
    ),
)
