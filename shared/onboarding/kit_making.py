"""The kit of one tenant, as Markdown for the operator to send on and as a part of the consent page: the same text."""

from shared.identifiers import TenantId
from shared.onboarding import kit
from shared.permissions import MULTI_TENANT
from shared.services import Services
from shared.tenants.record import Tenant


async def kit_text(services: Services, tenant: Tenant) -> str:
    """The kit, with what the audit tells of the tenant so far."""
    return kit.markdown(
        tenant,
        services.settings.source_tenant_id,
        await services.directory.source_name(),
        {one: services.settings.client_ids[one] for one in MULTI_TENANT},
        await services.audit.entries(TenantId(tenant.record.tenant_id)),
    )


def as_html(text: str) -> str:
    """Markdown of ours as HTML. Anything that looks like HTML in it is text."""
    # Only pages need it, and a cold start must not wait for it.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return rendered
