"""When requests are looked for, and when what is old is forgotten."""

from shared.activation import budgeting
from shared.activation.reconciling import reconcile_activations as reconcile
from shared.activation.watching import watch_activations as watch
from shared.orchestrations import Orchestrations
from shared.services import Services


async def watch_activations(services: Services, orchestrations: Orchestrations) -> None:
    """Every two minutes: whatever waits for an approver, however it was asked for, has its row and its run."""
    await watch(services, orchestrations)


async def reconcile_activations(services: Services, orchestrations: Orchestrations) -> None:
    """Every night: what is in force, beside what was decided."""
    await reconcile(services, orchestrations)


async def read_budgets(services: Services, _: Orchestrations) -> None:
    """Every hour: the Azure budgets that are declared, for whoever may not ask Azure."""
    await budgeting.read_budgets(services)


async def purge_webhook_ids(services: Services, _: Orchestrations) -> None:
    """Every night: ids of webhooks that were received long ago."""
    await services.webhook_ids.purge(services.clock.now())
