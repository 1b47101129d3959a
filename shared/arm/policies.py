"""Role management policies of a managed subscription, as Tenantry Access: read, and changed rule by rule.

Refuses any role outside the deployment's allow-list. A policy below the subscription or above it is another one: Azure's
settings are not inherited.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from shared.arm.rules import PolicyRule, rule_of, settings_of
from shared.arm.shapes import is_at, last_part, role_path
from shared.azure_permissions import LIST_AZURE_POLICIES, PATCH_AZURE_POLICY
from shared.errors import PimUnavailable, Rejected, RoleNotAllowed
from shared.identifiers import SubscriptionId
from shared.privileged import OpenIntent
from shared.subscriptions.roles import RoleSettings

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = {"api-version": "2020-10-01"}
_NO_PIM = "AadPremiumLicenseRequired"
_SOME_RULE = frozenset({"InvalidPolicy", "InvalidPolicyRule"})
"""Refusals of a change as a whole, which don't say which rule it is."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A role's policy at the subscription itself."""

    policy_id: str
    settings: RoleSettings


class _Assigned(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    policy_id: str = ""
    role_definition_id: str = ""
    scope: str = ""
    effective_rules: list[PolicyRule] = []


class _Item(msgspec.Struct, frozen=True):
    properties: _Assigned


class AzurePolicies:
    """The policies of any managed subscription. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]", allowed_roles: frozenset[str]) -> None:
        self._open_arm = open_arm
        self._allowed_roles = allowed_roles

    async def read(self, subscription_id: SubscriptionId, role_definition_id: str) -> Policy | None:
        """The policy of a role at the subscription; None where no list shows it.

        GET /{scope}/providers/Microsoft.Authorization/roleManagementPolicyAssignments?$filter=roleDefinitionId eq
        (roleManagementPolicyAssignments/read). The filter may be ignored, so every role's may come. Raises RoleNotAllowed,
        PimUnavailable.
        """
        wanted = role_path(subscription_id, self._allowed(role_definition_id))
        query = {**_VERSION, "$filter": f"roleDefinitionId eq '{wanted}'"}
        try:
            found = await self._open_arm().pages(LIST_AZURE_POLICIES, subscription_id, query)
        except Rejected as error:
            raise _explained(error) from error
        for item in found:
            one = msgspec.json.decode(item, type=_Item).properties
            if is_at(one.scope, subscription_id) and last_part(one.role_definition_id) == role_definition_id:
                return Policy(policy_id=last_part(one.policy_id), settings=settings_of(one.effective_rules))
        return None

    async def change(
        self,
        subscription_id: SubscriptionId,
        role_definition_id: str,
        policy: Policy,
        rules: Sequence[str],
        intent: OpenIntent,
    ) -> str:
        """Change these rules of a role's policy to what `policy` says of them; the others stay. Gives the request id. Safe
        twice.

        PATCH /{policyId} (roleManagementPolicies/write, for the approval rule .../approvalRule/action too).
        Without an ETag: the last writer wins. Raises RoleNotAllowed, PimUnavailable, and Rejected; where Azure refuses the
        whole, the rules are sent one by one, so that its message names those that it refuses.
        """
        self._allowed(role_definition_id)
        try:
            return await self._patch(subscription_id, policy, rules, intent)
        except Rejected as error:
            if error.call.code not in _SOME_RULE:
                raise _explained(error) from error
            refused = await self._refused(subscription_id, policy, rules, intent)
            named = f"Azure refuses {', '.join(refused)}: {error.call.message}" if refused else error.call.message
            raise Rejected(replace(error.call, message=named)) from error

    async def _refused(
        self, subscription_id: SubscriptionId, policy: Policy, rules: Sequence[str], intent: OpenIntent
    ) -> list[str]:
        """Which of the rules are refused alone. The others are in force then, as they were to be."""
        if len(rules) == 1:
            return list(rules)
        refused = []
        for rule in rules:
            try:
                await self._patch(subscription_id, policy, [rule], intent)
            except Rejected:
                refused.append(rule)
        return refused

    async def _patch(
        self, subscription_id: SubscriptionId, policy: Policy, rules: Sequence[str], intent: OpenIntent
    ) -> str:
        body = {"properties": {"rules": [rule_of(one, policy.settings) for one in rules]}}
        answer = await self._open_arm().send(
            PATCH_AZURE_POLICY, subscription_id, _VERSION, name=policy.policy_id, body=body, intent=intent
        )
        return answer.request_id

    def _allowed(self, role_definition_id: str) -> str:
        if role_definition_id not in self._allowed_roles:
            raise RoleNotAllowed(role_definition_id)
        return role_definition_id


def _explained(error: Rejected) -> Rejected | PimUnavailable:
    return PimUnavailable(error.call.tenant_id) if error.call.code == _NO_PIM else error
