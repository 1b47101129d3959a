"""Who is this tenant, what does it have, and who is that other one (section 8.1)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call, collection, entity
from tests.sandbox.graph.errors import GraphError, malformed
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import is_guid

_ORGANIZATION = frozenset(
    {"id", "displayName", "verifiedDomains", "tenantType", "countryLetterCode", "createdDateTime"}
)
_SKU = frozenset(
    {"id", "skuId", "skuPartNumber", "servicePlans", "capabilityStatus", "consumedUnits", "prepaidUnits", "appliesTo"}
)


def _organization(call: Call) -> Answer:
    return collection(call, "organization", [call.tenant.organization()])


def _skus(call: Call) -> Answer:
    return collection(call, "subscribedSkus", call.tenant.licences.skus(call.tenant.id))


def _by_id(call: Call) -> Answer:
    wanted = call.id()
    if not is_guid(wanted):
        raise malformed(f"Invalid tenant id '{wanted}'.")
    tenant = call.estate.tenants.get(wanted)
    if tenant is None:
        raise GraphError(404, "ResourceNotFound", f"Unable to resolve tenant by tenant ID {wanted}.")
    return entity(call, "microsoft.graph.tenantInformation", tenant.information())


def _by_domain(call: Call) -> Answer:
    wanted = call.id()
    for tenant in call.estate.tenants.values():
        if wanted in tenant.domains:
            return entity(call, "microsoft.graph.tenantInformation", tenant.information())
    raise GraphError(404, "ResourceNotFound", f"Unable to resolve tenant by domain name {wanted}.")


ROUTES = (
    Route(call="GET /organization", handler=_organization, options=Options(select=_ORGANIZATION)),
    Route(call="GET /subscribedSkus", handler=_skus, options=Options(select=_SKU)),
    Route(call="GET /tenantRelationships/findTenantInformationByTenantId(tenantId={id})", handler=_by_id),
    Route(call="GET /tenantRelationships/findTenantInformationByDomainName(domainName={id})", handler=_by_domain),
)
