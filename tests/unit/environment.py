"""A whole environment of the app with invented values, without what is optional."""

from collections.abc import Mapping
from uuid import NAMESPACE_DNS, uuid5

_IDS = ("API", "LOOKUP", "SOURCE", "SETUP", "ACCESS", "HUNT", "IDENTITY")
_PORTALS = ("MTO", "DEFENDER", "MYACCOUNT", "ENTRA")

ENVIRONMENT: Mapping[str, str] = {
    "TENANTRY_SOURCE_TENANT_ID": "aaaaaaaa-0000-4000-8000-00000000000a",
    "TENANTRY_PUBLIC_URL": "https://app.example/",
    "TENANTRY_AUTHORITY": "https://login.example/",
    "TENANTRY_GRAPH_ENDPOINT": "https://graph.example/",
    **{f"TENANTRY_{name}_CLIENT_ID": str(uuid5(NAMESPACE_DNS, name)) for name in _IDS},
    "TENANTRY_TABLES_CONNECTION_STRING": "UseDevelopmentStorage=true",
    "TENANTRY_AUDIT_TABLES_CONNECTION_STRING": "UseDevelopmentStorage=true",
    **{f"TENANTRY_{name}_PORTAL": f"https://{name.lower()}.portal.example" for name in _PORTALS},
}
