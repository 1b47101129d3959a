"""An Azure CLI on somebody's machine: a small `az` that has the sandbox's Entra give a token to who is signed in with it."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

import jwt
from aiohttp import web

from tests.flows.scene import Scene
from tests.sandbox.arm.models.roles import BUILT_IN, USER_ACCESS_ADMINISTRATOR
from tests.sandbox.arm.tokens import AZURE_CLI, person_token
from tests.sandbox.entra.tokens import graph_claims, sign
from tests.sandbox.listening import Listener
from tests.sandbox.personas import Person

_SCOPES = [
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "Directory.AccessAsUser.All",
    "Group.ReadWrite.All",
    "User.ReadWrite.All",
]
"""Delegated permissions for Graph that Microsoft gave its CLI: none of policies, PIM, jobs or hunting."""

_SCRIPT = """#!{python} -IS
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

if sys.argv[1:5] != ["account", "get-access-token", "--output", "json"]:
    sys.exit(f"ERROR: '{{' '.join(sys.argv[1:])}}' is misspelled or not recognized by the system.")
asked = urlencode(dict(zip(sys.argv[5::2], sys.argv[6::2])))
try:
    with build_opener(ProxyHandler({{}})).open("{url}", asked.encode()) as answer:
        print(answer.read().decode())
except HTTPError as error:
    sys.exit(error.read().decode())
"""


class AzureCli:
    """`folder` is to be PATH. `person`: who is signed in; None: nobody. `application`: it is one that is signed in.

    `ignores_tenant`: a token of the home tenant comes, whichever was asked for.
    """

    def __init__(self, scene: Scene, folder: Path, person: Person | None) -> None:
        self._scene = scene
        self._listener = Listener(self._answer)
        self.folder = folder
        self.person = person
        self.application = False
        self.ignores_tenant = False
        self.asked: list[Mapping[str, str]] = []

    async def __aenter__(self) -> Self:
        await self._listener.start()
        self.folder.mkdir(exist_ok=True)
        script = self.folder / "az"
        script.write_text(_SCRIPT.format(python=sys.executable, url=f"http://127.0.0.1:{self._listener.port}/"))
        script.chmod(0o755)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop()

    def may_decide_access(self, *subscription_ids: str) -> None:
        """The person is User Access Administrator there."""
        assert self.person is not None
        for one in subscription_ids:
            subscription = self._scene.world.clouds.azure.subscriptions[one]
            subscription.access.assign(self.person.object_id, BUILT_IN[USER_ACCESS_ADMINISTRATOR], subscription.scope)

    async def _answer(self, request: web.Request) -> web.Response:
        asked = dict(parse_qsl(await request.text()))
        self.asked.append(asked)
        if self.person is None:
            return web.Response(status=400, text="ERROR: Please run 'az login' to setup account.")
        tenant_id = self.person.tenant_id if self.ignores_tenant else asked["--tenant"]
        account = self._account(self.person, tenant_id)
        if account is None:
            text = (
                f"ERROR: AADSTS50020: User account '{self.person.user_principal_name}' from identity provider 'live.com' "
                f"does not exist in tenant '{tenant_id}'. Please run: az login --tenant {tenant_id}"
            )
            return web.Response(status=400, text=text)
        token = self._token(self.person, account, tenant_id, asked["--resource"])
        expires = jwt.decode(token, options={"verify_signature": False})["exp"]
        told = {
            "accessToken": token,
            "expiresOn": datetime.fromtimestamp(expires).strftime("%Y-%m-%d %H:%M:%S.%f"),
            "expires_on": expires,
            "tenant": tenant_id,
            "tokenType": "Bearer",
        }
        return web.Response(text=json.dumps(told))

    def _account(self, person: Person, tenant_id: str) -> str | None:
        """The person's object id in a tenant: at home, or where the synchronization made them an account."""
        if tenant_id == person.tenant_id:
            return person.object_id
        there = self._scene.world.clouds.tenants.get(tenant_id)
        account = there.directory.counterpart(person.tenant_id, person.object_id) if there else None
        return account.id if account else None

    def _token(self, person: Person, account: str, tenant_id: str, resource: str) -> str:
        clouds = self._scene.world.clouds
        if resource == clouds.arm and not self.application:
            return person_token(clouds, person)
        assert resource in (clouds.arm, clouds.graph)
        claims = graph_claims(
            authority=clouds.authority,
            tenant_id=tenant_id,
            audience=resource,
            app_id=AZURE_CLI,
            principal_id=account,
            roles=[],
        )
        if resource == clouds.graph:
            claims = {**claims, "idtyp": "user", "scp": " ".join(_SCOPES)}
        return sign(claims)
