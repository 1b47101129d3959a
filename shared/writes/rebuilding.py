"""Every privileged write on a tenant, by the kind that its intent names.

A write is built from the tenant's record and a few arguments, so an open intent can be built again and closed by
reading back.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.eligibility.decide import RENEWAL
from shared.privileged import PrivilegedWrite
from shared.services import Services
from shared.subjects import Intent
from shared.tenants.record import Tenant
from shared.writes.cross_tenant import identity_sync, partner_in_source, partner_in_target, trust_source, trust_target
from shared.writes.eligibility import (
    eligibility_removal,
    group_security_reader,
    sent_eligibility_renewal,
    sent_security_reader,
)
from shared.writes.provisioning import provisioning
from shared.writes.synchronization import (
    assignment,
    enterprise_application,
    secrets,
    start,
    synchronization_job,
    unassignment,
)
from shared.writes.synchronization_removal import application_removal, job_removal, pause, registration_removal
from shared.writes.trust_back import (
    identity_sync_back,
    partner_removal_in_source,
    partner_removal_in_target,
    settings_back_in_source,
    settings_back_in_target,
)

type Builder = Callable[[Services, Tenant, Mapping[str, str]], PrivilegedWrite[Any]]

BUILDERS: dict[str, Builder] = {
    "partner_in_target": partner_in_target,
    "trust_source": trust_source,
    "identity_sync": identity_sync,
    "partner_in_source": partner_in_source,
    "trust_target": trust_target,
    "enterprise_application": enterprise_application,
    "synchronization_job": synchronization_job,
    "secrets": secrets,
    "assignment": assignment,
    "start": start,
    "provisioning": provisioning,
    "security_reader": sent_security_reader,
    "group_security_reader": group_security_reader,
    "eligibility_removal": eligibility_removal,
    RENEWAL: sent_eligibility_renewal,
    "unassignment": unassignment,
    "pause": pause,
    "job_removal": job_removal,
    "application_removal": application_removal,
    "registration_removal": registration_removal,
    "settings_back_in_source": settings_back_in_source,
    "partner_removal_in_source": partner_removal_in_source,
    "identity_sync_back": identity_sync_back,
    "settings_back_in_target": settings_back_in_target,
    "partner_removal_in_target": partner_removal_in_target,
}


def rebuilt(services: Services, tenant: Tenant, intent: Intent) -> PrivilegedWrite[Any]:
    """The write that an intent stands for, built again from what is stored."""
    return BUILDERS[intent.kind](services, tenant, intent.arguments)
