"""The HTTP operations of onboarding."""

from shared.formats import Guid
from shared.onboarding import checklist_triggers, consent_triggers, kit_triggers, triggers
from shared.onboarding.answers import TenantAccepted, TenantOpening, TenantPage, TenantPlan, TenantRecord
from shared.onboarding.checklist import AnalystChecklist
from shared.onboarding.checklist_triggers import Confirmation
from shared.onboarding.request import TenantBody
from shared.operations import (
    CURSOR,
    OPERATORS,
    READERS,
    TENANT_ID,
    Access,
    Answer,
    Operation,
    Parameter,
    json,
    page,
)
from shared.tenants.states import State

_ACCEPTED = json(
    "It runs, or stops; the record shows how it goes.", TenantAccepted, headers=("Location", "Retry-After")
)
_UNKNOWN_LINK = page("The link is not valid, or not any more.")

_TENANTS = (
    Operation(
        name="post_tenant",
        method="POST",
        path="tenants",
        told="onboards; 202 with `Location`, `Retry-After`, and `consentLink` while consent is missing. Same body again: "
        "goes on where it stopped, or 200 when `Ready`",
        function=triggers.post_tenant,
        who=OPERATORS,
        body=TenantBody,
        answers={
            200: json("The plan, for `dryRun`; or the record, where nothing is to be done.", TenantPlan, TenantRecord),
            202: _ACCEPTED,
        },
        problems=(400, 409),
    ),
    Operation(
        name="get_tenants",
        method="GET",
        path="tenants",
        told="the tenants, paged",
        function=triggers.get_tenants,
        who=READERS,
        parameters=(Parameter(name="state", kind=State, told="Only tenants in this state."), CURSOR),
        answers={200: json("The tenants, by state.", TenantPage)},
        problems=(400,),
    ),
    Operation(
        name="get_tenant",
        method="GET",
        path="tenants/{tenantId}",
        told="the record: state, acts, what a person should do, eligibilities, permissions, checklist",
        function=triggers.get_tenant,
        who=READERS,
        parameters=(TENANT_ID,),
        answers={200: json("The record.", TenantRecord, TenantOpening)},
        problems=(400, 404),
    ),
    Operation(
        name="retry_tenant",
        method="POST",
        path="tenants/{tenantId}/retry",
        told="goes on from the act that failed",
        function=triggers.retry_tenant,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        answers={202: _ACCEPTED},
        problems=(400, 404, 409),
    ),
    Operation(
        name="cancel_tenant",
        method="POST",
        path="tenants/{tenantId}/cancel",
        told="stops a run or a wait; what is written stays",
        function=triggers.cancel_tenant,
        who=OPERATORS,
        parameters=(TENANT_ID,),
        answers={202: _ACCEPTED},
        problems=(400, 404, 409),
    ),
)

_PAGES = (
    Operation(
        name="get_consent_page",
        method="GET",
        path="consent/{state}",
        told="the page for the target's administrator: what is asked, why, how to take it back",
        function=consent_triggers.get_consent_page,
        who=Access.OPEN,
        parameters=(Parameter(name="state", kind=str, told="The single-use state of the link."),),
        answers={200: page("What is asked, or how it stands."), 404: _UNKNOWN_LINK},
        pages=consent_triggers.unanswered,
    ),
    Operation(
        name="get_consent",
        method="GET",
        path="consent",
        told="where Entra sends the administrator back; proves nothing by itself",
        function=consent_triggers.get_consent,
        who=Access.OPEN,
        parameters=(
            Parameter(name="state", kind=str, told="The single-use state of the link."),
            Parameter(name="admin_consent", kind=str, told="True where consent was given."),
            Parameter(name="tenant", kind=str, told="The tenant in which it was given."),
            Parameter(name="error", kind=str, told="Why it was not."),
        ),
        answers={200: page("How it stands now."), 404: _UNKNOWN_LINK},
        pages=consent_triggers.unanswered,
    ),
)

_PEOPLE = (
    Operation(
        name="get_kit",
        method="GET",
        path="tenants/{tenantId}/kit",
        told="Markdown for the target's administrator, to be sent on: what is asked and why, what was changed so far, the "
        "commands that remove everything",
        function=kit_triggers.get_kit,
        who=READERS,
        parameters=(TENANT_ID,),
        answers={200: Answer(told="The kit.", content={"text/markdown": (str,)})},
        problems=(400, 404),
    ),
    Operation(
        name="confirm_checklist_item",
        method="POST",
        path="tenants/{tenantId}/checklist/{analyst}",
        told='confirms a step of the own checklist: `{"item": "role"}`; `"confirmed": false` takes it back',
        function=checklist_triggers.confirm_checklist_item,
        who=Access.ANALYST,
        parameters=(TENANT_ID, Parameter(name="analyst", kind=Guid, told="The analyst's own object id.")),
        body=Confirmation,
        answers={200: json("The analyst's checklist as it is now.", AnalystChecklist)},
        problems=(400, 404, 409),
    ),
)

_HEALTH = Operation(
    name="get_health",
    method="GET",
    path="health",
    told="204 when store and identity answer",
    function=triggers.get_health,
    who=Access.OPEN,
    answers={204: Answer(told="Store and identity answer.")},
)

OPERATIONS = (*_TENANTS, *_PAGES, *_PEOPLE, _HEALTH)
