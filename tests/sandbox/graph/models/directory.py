"""Users and groups of one tenant, each seen by id, as a reference and in lists from moments of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.wire import Wire


@dataclass(slots=True, kw_only=True)
class DirectoryObject:
    """Anything with an object id. Made before the world began if made_at is None."""

    id: str
    display_name: str
    made_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class User(DirectoryObject):
    """A person's account; `source` is the home tenant and object id of an account that belongs elsewhere."""

    user_principal_name: str
    mail: str | None = None
    other_mails: tuple[str, ...] = ()
    user_type: str = "Member"
    account_enabled: bool = True
    creation_type: str | None = None
    external_user_state: str | None = None
    source: tuple[str, str] | None = None
    sms_sign_in: bool = False
    exchange: str | None = "Enabled"
    """The capability status of the Exchange plan; None without one: Enabled, Warning, Suspended, Deleted or LockedOut."""

    @property
    def is_internal_member(self) -> bool:
        """What cross-tenant synchronization takes from a source (section 3.6)."""
        return self.user_type == "Member" and self.source is None

    def wire(self) -> Wire:
        """Every property that the sandbox knows; the endpoint picks from it."""
        given, _, family = self.display_name.partition(" ")
        mail = self.mail or self.user_principal_name
        external = {"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None}
        own = {
            "signInType": "userPrincipalName",
            "issuer": self.user_principal_name.rpartition("@")[2],
            "issuerAssignedId": self.user_principal_name,
        }
        return {
            "id": self.id,
            "businessPhones": [],
            "displayName": self.display_name,
            "givenName": given,
            "jobTitle": None,
            "mail": self.mail,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": None,
            "surname": family or None,
            "userPrincipalName": self.user_principal_name,
            "accountEnabled": self.account_enabled,
            "creationType": self.creation_type,
            "externalUserState": self.external_user_state,
            "identities": [own, external] if self.source else [own],
            "mailNickname": mail.partition("@")[0],
            "otherMails": list(self.other_mails),
            "userType": self.user_type,
            "assignedPlans": self._plans(),
        }

    def _plans(self) -> list[Wire]:
        """Directory's own, and Exchange's where there is one. Who belongs elsewhere has neither."""
        if self.source is not None:
            return []
        plans = [("MicrosoftOffice", "Enabled", "43de0ff5-c92c-492b-9116-175376d08c38")]
        if self.exchange is not None:
            plans.append(("exchange", self.exchange, "efb87545-963c-4e0d-99df-69c6916d9eb0"))
        return [
            {
                "assignedDateTime": "2025-01-01T00:00:00Z",
                "capabilityStatus": status,
                "service": service,
                "servicePlanId": plan,
            }
            for service, status, plan in plans
        ]


@dataclass(slots=True, kw_only=True)
class Group(DirectoryObject):
    """A group with assigned members: users, groups and service principals, by id."""

    description: str | None = None
    is_assignable_to_role: bool = False
    members: list[str] = field(default_factory=list)

    def wire(self) -> Wire:
        """The properties of a security group."""
        return {
            "id": self.id,
            "description": self.description,
            "displayName": self.display_name,
            "groupTypes": [],
            "isAssignableToRole": self.is_assignable_to_role or None,
            "mail": None,
            "mailEnabled": False,
            "mailNickname": self.id[:8],
            "securityEnabled": True,
            "visibility": None,
        }


def external_name(of: User, initial_domain: str) -> str:
    """The user principal name of somebody else's user (section 4)."""
    return f"{of.user_principal_name.replace('@', '_')}#EXT#@{initial_domain}"


class Directory:
    """The users and groups of a tenant."""

    def __init__(self, ground: Ground, initial_domain: str) -> None:
        self._ground = ground
        self.initial_domain = initial_domain
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.deleted_users: dict[str, User] = {}

    def add_user(
        self, user_principal_name: str, display_name: str, *, fresh: bool = False, mail: str | None = None
    ) -> User:
        """An account of the tenant's own, known everywhere unless fresh."""
        user = User(
            id=self._ground.new_id(),
            display_name=display_name,
            made_at=self._ground.now() if fresh else None,
            user_principal_name=user_principal_name,
            mail=mail or user_principal_name,
        )
        self.users[user.id] = user
        return user

    def add_external(
        self, of: User, home_tenant: str, *, kind: str, made_at: datetime | None, state: str | None
    ) -> User:
        """An account for somebody else's user, named as section 4 says; kind is Member (synchronized) or Guest."""
        user = User(
            id=self._ground.new_id(),
            display_name=of.display_name,
            made_at=made_at,
            user_principal_name=external_name(of, self.initial_domain),
            mail=of.mail,
            other_mails=(of.mail,) if of.mail else (),
            user_type=kind,
            creation_type="Invitation",
            external_user_state=state,
            source=(home_tenant, of.id),
        )
        self.users[user.id] = user
        return user

    def add_group(self, display_name: str, members: Iterator[str] | list[str] | tuple[str, ...] = ()) -> Group:
        """A security group that is known everywhere."""
        group = Group(id=self._ground.new_id(), display_name=display_name, members=list(members))
        self.groups[group.id] = group
        return group

    def user(self, id_or_name: str, view: View) -> User | None:
        """By object id or user principal name, if this reader has heard of it."""
        wanted = id_or_name.lower()
        for user in self.users.values():
            if wanted in (user.id, user.user_principal_name.lower()):
                return user if self._ground.sees(user.id, user.made_at, view) else None
        return None

    def group(self, group_id: str, view: View) -> Group | None:
        """By object id, if this reader has heard of it."""
        group = self.groups.get(group_id.lower())
        return group if group and self._ground.sees(group.id, group.made_at, view) else None

    def listed_users(self) -> list[User]:
        """Those that lists and filters show by now, oldest first."""
        return [user for user in self.users.values() if self._ground.sees(user.id, user.made_at, View.LIST)]

    def listed_groups(self) -> list[Group]:
        """As for users."""
        return [group for group in self.groups.values() if self._ground.sees(group.id, group.made_at, View.LIST)]

    def counterpart(self, home_tenant: str, home_id: str) -> User | None:
        """The account here of somebody else's user. The synchronization matches by truth, not by a replica."""
        for user in self.users.values():
            if user.source == (home_tenant, home_id):
                return user
        return None

    def delete_user(self, user_id: str) -> None:
        """To the deleted items."""
        self.deleted_users[user_id] = self.users.pop(user_id)
        for group in self.groups.values():
            if user_id in group.members:
                group.members.remove(user_id)
