"""Cross-tenant access on the wire (sections 1 and 2)."""

from collections.abc import Mapping

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import GraphError, bad_request, malformed
from tests.sandbox.graph.models.cross_tenant import Consent, Flags, IdentitySync, Partner, Trust
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Body, Check, Wire, a_flag, a_guid, a_list, a_text, an_object, nullable, one_of

_BASE = "/policies/crossTenantAccessPolicy"
_B2B = ("b2bCollaborationInbound", "b2bCollaborationOutbound", "b2bDirectConnectInbound", "b2bDirectConnectOutbound")
_CONSENT = {"inboundAllowed": "inbound", "outboundAllowed": "outbound"}
_TRUST = {
    "isMfaAccepted": "mfa",
    "isCompliantDeviceAccepted": "compliant",
    "isHybridAzureADJoinedDeviceAccepted": "hybrid",
}
_FLAG = nullable(a_flag)
_TARGET = an_object(
    {"target": a_text, "targetType": one_of(("user", "group", "application"))}, required=("target", "targetType")
)
_TARGETS = an_object(
    {"accessType": one_of(("allowed", "blocked")), "targets": a_list(_TARGET, least=1)},
    required=("accessType", "targets"),
)
_B2B_SETTING = nullable(an_object({"usersAndGroups": nullable(_TARGETS), "applications": nullable(_TARGETS)}))
_PARTNER_PROPERTIES: dict[str, Check] = {
    "automaticUserConsentSettings": nullable(
        an_object(dict.fromkeys(_CONSENT, _FLAG), type_name="inboundOutboundPolicyConfiguration")
    ),
    "inboundTrust": nullable(an_object(dict.fromkeys(_TRUST, _FLAG), type_name="crossTenantAccessPolicyInboundTrust")),
    **dict.fromkeys(_B2B, _B2B_SETTING),
}
_PARTNER_TYPE = "crossTenantAccessPolicyConfigurationPartner"
_CREATE = an_object({"tenantId": a_guid, **_PARTNER_PROPERTIES}, required=("tenantId",), type_name=_PARTNER_TYPE)
_UPDATE = an_object(_PARTNER_PROPERTIES, type_name=_PARTNER_TYPE)
_SYNC = an_object(
    {"displayName": nullable(a_text), "userSyncInbound": nullable(an_object({"isSyncAllowed": a_flag}))},
    type_name="crossTenantIdentitySyncPolicyPartner",
)
_SELECT = frozenset(
    {
        "tenantId",
        "isServiceProvider",
        "isInMultiTenantOrganization",
        "inboundTrust",
        "automaticUserConsentSettings",
        *_B2B,
    }
)


def _list(call: Call) -> Answer:
    return collection(call, "policies/crossTenantAccessPolicy/partners", [
        _wire(call, partner) for partner in call.tenant.access.read_partners()
    ])  # fmt: skip


def _read(call: Call) -> Answer:
    partner = call.tenant.access.read_partner(call.id())
    return entity(call, "policies/crossTenantAccessPolicy/partners/$entity", _wire(call, partner))


def _create(call: Call) -> Answer:
    other = call.body.guid("tenantId")
    if other == call.tenant.id or other not in call.estate.tenants:
        raise bad_request(f"Invalid tenant id '{other}'.")
    if call.body.object("automaticUserConsentSettings") is not None and not call.estate.ground.switches.is_flipped(
        "partner-create-takes-consent-settings"
    ):
        raise bad_request("Property automaticUserConsentSettings cannot be set while creating the partner.")
    partner = Partner(
        tenant_id=other,
        consent=Consent(**(_flags(call.body, "automaticUserConsentSettings", _CONSENT) or {})),
        trust=Trust(**trust) if (trust := _flags(call.body, "inboundTrust", _TRUST)) is not None else None,
        b2b=_b2b(call.body),
    )
    call.tenant.access.create_partner(partner)
    return entity(call, "policies/crossTenantAccessPolicy/partners/$entity", _wire(call, partner), status=201)


def _update(call: Call) -> Answer:
    if not call.body.names():
        raise malformed("The body names no property.")
    nulls = {"consent": "automaticUserConsentSettings", "trust": "inboundTrust"}
    call.tenant.access.update_partner(
        call.id(),
        consent=_flags(call.body, "automaticUserConsentSettings", _CONSENT),
        trust=_flags(call.body, "inboundTrust", _TRUST),
        cleared=frozenset(name for name, wire in nulls.items() if call.body.is_null(wire)),
        b2b=_b2b(call.body),
    )
    return NO_CONTENT


def _delete(call: Call) -> Answer:
    call.tenant.access.delete_partner(call.id())
    return NO_CONTENT


def _read_sync(call: Call) -> Answer:
    sync = call.tenant.access.read_identity_sync(call.id())
    fragment = f"policies/crossTenantAccessPolicy/partners('{call.id()}')/identitySynchronization/$entity"
    return entity(call, fragment, _sync_wire(call.id(), sync))


def _put_sync(call: Call) -> Answer:
    inbound = call.body.object("userSyncInbound")
    allowed = bool(inbound and inbound.flag_or_none("isSyncAllowed"))
    sync = IdentitySync(display_name=call.body.text_or_none("displayName"), is_sync_allowed=allowed)
    call.tenant.access.put_identity_sync(call.id(), sync)
    return NO_CONTENT


def _patch_sync(call: Call) -> Answer:
    inbound = call.body.object("userSyncInbound")
    call.tenant.access.patch_identity_sync(
        call.id(),
        display_name=call.body.text_or_none("displayName"),
        is_sync_allowed=inbound.flag_or_none("isSyncAllowed") if inbound else None,
    )
    return NO_CONTENT


def _delete_sync(call: Call) -> Answer:
    call.tenant.access.delete_identity_sync(call.id())
    return NO_CONTENT


def _read_default(call: Call) -> Answer:
    default = call.tenant.access.default
    wire: Wire = {
        "id": call.tenant.id,
        "isServiceDefault": default.is_service_default,
        "inboundTrust": _trust_wire(default.trust),
        "b2bCollaborationOutbound": _everyone(default.b2b_outbound),
        "b2bCollaborationInbound": _everyone(default.b2b_inbound),
        "b2bDirectConnectOutbound": _everyone("blocked"),
        "b2bDirectConnectInbound": _everyone("blocked"),
        "automaticUserConsentSettings": _consent_wire(default.consent),
        "tenantRestrictions": None,
    }
    return entity(call, "policies/crossTenantAccessPolicy/default/$entity", wire)


def _flags(body: Body, name: str, fields: Mapping[str, str]) -> Flags | None:
    """The flags of a complex value that were sent, by their names here."""
    given = body.object(name)
    return None if given is None else {fields[one]: given.flag_or_none(one) for one in given.names()}


def _b2b(body: Body) -> Mapping[str, object]:
    return {name: body.raw(name) for name in _B2B if name in body}


def _wire(call: Call, partner: Partner) -> Wire:
    wire: Wire = {
        "tenantId": partner.tenant_id,
        "isServiceProvider": None,
        "isInMultiTenantOrganization": False,
        "inboundTrust": _trust_wire(partner.trust) if partner.trust else None,
        **{name: partner.b2b.get(name) for name in _B2B},
        "tenantRestrictions": None,
        "automaticUserConsentSettings": _consent_wire(partner.consent),
        **partner.others,
    }
    if "identitySynchronization" in call.query.expand:
        try:
            sync = call.tenant.access.read_identity_sync(partner.tenant_id)
        except GraphError:
            wire["identitySynchronization"] = None
        else:
            wire["identitySynchronization"] = _sync_wire(partner.tenant_id, sync)
    return wire


def _sync_wire(tenant_id: str, sync: IdentitySync) -> Wire:
    return {
        "tenantId": tenant_id,
        "displayName": sync.display_name,
        "userSyncInbound": {"isSyncAllowed": sync.is_sync_allowed},
    }


def _trust_wire(trust: Trust) -> Wire:
    return {
        "isMfaAccepted": trust.mfa,
        "isCompliantDeviceAccepted": trust.compliant,
        "isHybridAzureADJoinedDeviceAccepted": trust.hybrid,
    }


def _consent_wire(consent: Consent) -> Wire:
    return {"inboundAllowed": consent.inbound, "outboundAllowed": consent.outbound}


def _everyone(access: str) -> Wire:
    return {
        "usersAndGroups": {"accessType": access, "targets": [{"target": "AllUsers", "targetType": "user"}]},
        "applications": {"accessType": access, "targets": [{"target": "AllApplications", "targetType": "application"}]},
    }


_READ_OPTIONS = Options(select=_SELECT, expand=frozenset({"identitySynchronization"}))
ROUTES = (
    Route(call=f"GET {_BASE}/default", handler=_read_default, service="policy"),
    Route(call=f"GET {_BASE}/partners", handler=_list, options=_READ_OPTIONS, service="policy"),
    Route(call=f"POST {_BASE}/partners", handler=_create, body=_CREATE, service="policy"),
    Route(call=f"GET {_BASE}/partners/{{id}}", handler=_read, options=_READ_OPTIONS, service="policy"),
    Route(call=f"PATCH {_BASE}/partners/{{id}}", handler=_update, body=_UPDATE, service="policy"),
    Route(call=f"DELETE {_BASE}/partners/{{id}}", handler=_delete, service="policy"),
    Route(call=f"GET {_BASE}/partners/{{id}}/identitySynchronization", handler=_read_sync, service="policy"),
    Route(call=f"PUT {_BASE}/partners/{{id}}/identitySynchronization", handler=_put_sync, body=_SYNC, service="policy"),
    Route(
        call=f"PATCH {_BASE}/partners/{{id}}/identitySynchronization", handler=_patch_sync, body=_SYNC, service="policy"
    ),
    Route(call=f"DELETE {_BASE}/partners/{{id}}/identitySynchronization", handler=_delete_sync, service="policy"),
)
