"""Synchronization of an enterprise application: jobs, secrets, schema, on demand (sections 3.2, 3.4 to 3.6)."""

import hashlib
import json

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import GraphError, malformed, not_found
from tests.sandbox.graph.models.applications import ServicePrincipal
from tests.sandbox.graph.models.jobs import JOB_TEMPLATE, Job
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.quota import ON_DEMAND
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.routes.applications import principal_of
from tests.sandbox.graph.wire import Body, Wire, a_flag, a_guid, a_list, a_text, an_object, nullable, one_of

SECRET_KEYS = ("AuthenticationType", "CompanyId", "SyncNotificationSettings", "SyncAll", "SkipOutOfScopeDeletions")
"""Those of cross-tenant synchronization; the enum has many more, for other kinds of applications (section 3.2)."""
_SCOPES = frozenset({"None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"})
_SYNC = "/servicePrincipals/{id}/synchronization"
_JOB = _SYNC + "/jobs/{job}"
_PAIR = an_object(
    {"key": one_of(SECRET_KEYS), "value": a_text},
    required=("key", "value"),
    type_name="synchronizationSecretKeyStringValuePair",
)
_VALIDATE = an_object(
    {
        "useSavedCredentials": nullable(a_flag),
        "templateId": nullable(a_text),
        "credentials": nullable(a_list(_PAIR)),
        "applicationIdentifier": nullable(a_text),
    }
)
_SUBJECT = an_object({"objectId": a_guid, "objectTypeName": a_text}, required=("objectId", "objectTypeName"))
_PARAMETERS = an_object(
    {"ruleId": a_text, "subjects": a_list(_SUBJECT, least=1, most=1)}, required=("ruleId", "subjects")
)
_ON_DEMAND = an_object({"parameters": a_list(_PARAMETERS, least=1, most=1)}, required=("parameters",))
_RESTART = an_object({"criteria": an_object({"resetScope": a_text}, required=("resetScope",))}, required=("criteria",))


def synchronized(call: Call) -> ServicePrincipal:
    """The application of the path. One just made is unknown to the service: 404, 403 or 409 (sections 3.1, 3.2)."""
    principal = principal_of(call)
    if call.estate.provisioning.reference_problem(principal):
        kind = hashlib.sha256(f"{principal.id}{call.ids.get('job', '')}".encode()).digest()[0] % 3
        if kind == 1:
            raise GraphError(403, "Forbidden", "The service principal is not yet available.")
        if kind == 2:
            raise GraphError(409, "Conflict", "The service principal is not yet available.")
        raise not_found(principal.id)
    return principal


def _list(call: Call) -> Answer:
    jobs = [job.wire() for job in call.tenant.jobs.shown(synchronized(call).id)]
    return collection(call, f"servicePrincipals('{call.id()}')/synchronization/jobs", jobs)


def _create(call: Call) -> Answer:
    job = call.tenant.jobs.create(synchronized(call), call.body.text("templateId"))
    return entity(call, f"servicePrincipals('{call.id()}')/synchronization/jobs/$entity", job.wire(), status=201)


def _read(call: Call) -> Answer:
    return entity(call, f"servicePrincipals('{call.id()}')/synchronization/jobs/$entity", _job(call).wire())


def _delete(call: Call) -> Answer:
    call.tenant.jobs.delete(_job(call))
    return NO_CONTENT


def _start(call: Call) -> Answer:
    call.tenant.jobs.start(_job(call), synchronized(call))
    return NO_CONTENT


def _pause(call: Call) -> Answer:
    call.tenant.jobs.pause(_job(call))
    return NO_CONTENT


def _restart(call: Call) -> Answer:
    criteria = call.body.object("criteria") or Body({})
    scopes = frozenset(part.strip() for part in criteria.text("resetScope").split(","))
    if not scopes <= _SCOPES:
        raise malformed(f"Invalid value '{criteria.text('resetScope')}' specified for property criteria.resetScope.")
    call.tenant.jobs.restart(_job(call), scopes)
    return NO_CONTENT


def _schema(call: Call) -> Answer:
    """The one rule that matters, with the default mappings that section 3.4 names."""
    job = _job(call)
    mappings = [
        _mapping("userType", "Constant", "Member"),
        _mapping("showInAddressList", "Constant", "True"),
        _mapping("displayName", "Attribute", "displayName"),
        _mapping("userPrincipalName", "Attribute", "userPrincipalName"),
    ]
    rule: Wire = {
        "containerFilter": None,
        "editable": True,
        "groupFilter": None,
        "id": job.rule_id,
        "name": "USER_INBOUND_USER",
        "priority": 1,
        "sourceDirectoryName": "Azure Active Directory",
        "targetDirectoryName": "Azure Active Directory (target tenant)",
        "metadata": [{"key": "supportsProvisionOnDemand", "value": "True"}],
        "objectMappings": [
            {
                "enabled": True,
                "flowTypes": "Add, Update, Delete",
                "name": "Provision Azure Active Directory Users",
                "sourceObjectName": "User",
                "targetObjectName": "User",
                "attributeMappings": mappings,
            }
        ],
    }
    wire: Wire = {"id": job.id, "version": "v1.2", "synchronizationRules": [rule], "directories": []}
    return entity(call, f"servicePrincipals('{call.id()}')/synchronization/jobs('{job.id}')/schema/$entity", wire)


def _validate(call: Call) -> Answer:
    """Section 3.2: the credentials of the body, or the saved ones."""
    principal = synchronized(call)
    if "job" in call.ids:
        _job(call)
    if call.body.flag_or_none("useSavedCredentials"):
        secrets = dict(principal.secrets)
    else:
        if call.body.text("templateId") != JOB_TEMPLATE:
            raise malformed(f"Invalid template '{call.body.text('templateId')}'.")
        secrets = {pair.text("key"): pair.text("value") for pair in call.body.objects("credentials")}
    problem = call.estate.provisioning.policy_problem(call.tenant, secrets.get("CompanyId", "").lower())
    if problem is not None:
        raise GraphError(400, problem.code, problem.message)
    if secrets.get("AuthenticationType") != "SyncPolicy":
        raise GraphError(400, "InvalidCredentials", "The authentication type must be SyncPolicy.")
    return NO_CONTENT


def _put_secrets(call: Call) -> Answer:
    principal = synchronized(call)
    given = {pair.text("key"): pair.text("value") for pair in call.body.objects("value")}
    if len(given) != len(call.body.objects("value")):
        raise malformed("A key occurs twice in value.")
    if given.get("SyncAll", "false") not in ("true", "false"):
        raise malformed("The value of SyncAll must be 'true' or 'false'.")
    if "SyncNotificationSettings" in given:
        try:
            json.loads(given["SyncNotificationSettings"])
        except ValueError:
            raise malformed("The value of SyncNotificationSettings is not JSON.") from None
    company = given.get("CompanyId")
    if company is not None:
        a_guid(company, "CompanyId")
        given["CompanyId"] = company.lower()
    principal.secrets.update(given)
    return NO_CONTENT


def _on_demand(call: Call) -> Answer:
    """Section 3.5."""
    call.estate.quotas.take(ON_DEMAND, call.tenant.id, call.app_id)
    principal, job = synchronized(call), _job(call)
    switches = call.estate.ground.switches
    parameters = call.body.objects("parameters")[0]
    subject = parameters.objects("subjects")[0]
    if parameters.text("ruleId") != job.rule_id or subject.text("objectTypeName") != "User":
        raise GraphError(400, "RequestParameterInvalid", "The rule or the object type is not known to the job.")
    if "CompanyId" not in principal.secrets:
        raise GraphError(400, "CredentialsMissing", "The credentials of the job are missing.")
    if switches.is_flipped("on-demand-needs-started-job") and job.started_at is None:
        raise GraphError(400, "JobNotStarted", "The job has not been started.")
    user_id = subject.guid("objectId")
    provisioning = call.estate.provisioning
    outcome = provisioning.provision(
        call.tenant,
        principal,
        job,
        user_id,
        call.estate.ground.now(),
        entitled=user_id in provisioning.entitled(call.tenant, principal),
    )
    answer = outcome.answer(
        with_target_id=not switches.is_flipped("on-demand-result-has-target-id"),
        as_object=switches.is_flipped("on-demand-value-is-object"),
    )
    return Answer(body={"@odata.context": call.context("microsoft.graph.stringKeyStringValuePair"), **answer})


def _job(call: Call) -> Job:
    return call.tenant.jobs.read(synchronized(call).id, call.ids["job"])


def _mapping(target: str, kind: str, source: str) -> Wire:
    return {
        "defaultValue": None,
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "Always",
        "matchingPriority": 0,
        "targetAttributeName": target,
        "source": {"expression": f"[{source}]", "name": source, "type": kind, "parameters": []},
    }


ROUTES = tuple(
    Route(call=call, handler=handler, body=body, options=options, service="synchronization")
    for call, handler, body, options in (
        (f"GET {_SYNC}/jobs", _list, None, Options(select=frozenset({"id", "templateId", "schedule", "status"}))),
        (f"POST {_SYNC}/jobs", _create, an_object({"templateId": a_text}, required=("templateId",)), Options()),
        (f"POST {_SYNC}/jobs/validateCredentials", _validate, _VALIDATE, Options()),
        (f"GET {_JOB}", _read, None, Options()),
        (f"DELETE {_JOB}", _delete, None, Options()),
        (f"POST {_JOB}/validateCredentials", _validate, _VALIDATE, Options()),
        (f"GET {_JOB}/schema", _schema, None, Options()),
        (f"POST {_JOB}/start", _start, None, Options()),
        (f"POST {_JOB}/pause", _pause, None, Options()),
        (f"POST {_JOB}/restart", _restart, _RESTART, Options()),
        (f"POST {_JOB}/provisionOnDemand", _on_demand, _ON_DEMAND, Options()),
        (
            f"PUT {_SYNC}/secrets",
            _put_secrets,
            an_object({"value": a_list(_PAIR, least=1)}, required=("value",)),
            Options(),
        ),
    )
)
