"""Budgets of Azure Cost Management on a subscription, as Tenantry Access. Read only: a budget stops nobody."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.arm.budget_shapes import AzureBudget, BudgetItem
from shared.azure_permissions import READ_AZURE_BUDGET
from shared.errors import NotFound
from shared.identifiers import SubscriptionId

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = "2023-05-01"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
"""What a budget may be called (Azure resource naming rules)."""


class Budgets:
    """The budgets of any managed subscription. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]") -> None:
        self._open_arm = open_arm

    async def read(self, subscription_id: SubscriptionId, name: str) -> AzureBudget | None:
        """The budget of that name, or None where there is none. Raises the RemoteErrors.

        GET /{scope}/providers/Microsoft.Consumption/budgets/{name} (Microsoft.Consumption/budgets/read).
        """
        if _NAME.fullmatch(name) is None:
            return None
        arm = self._open_arm()
        try:
            answer = await arm.send(READ_AZURE_BUDGET, subscription_id, {"api-version": _VERSION}, name=name)
        except NotFound as error:
            # A subscription that is gone is no subscription without the budget.
            if error.call.code == "SubscriptionNotFound":
                raise
            return None
        return answer.decode(BudgetItem).budget
