"""What is deployed: of the Graph SDK what our code reaches, and everything that reaches needs."""

import sys
from pathlib import Path

import pytest

from tests.sandbox.deployed import leave_alone
from tools.layout import ROOT, SITE
from tools.package import OUT, attributes, reached

_FILES = {
    "sdk/__init__.py": "from .client import Client\n",
    "sdk/client.py": """
from __future__ import annotations
from typing import TYPE_CHECKING
from sdk.base import Base
if TYPE_CHECKING:
    from .models.typed import Typed
class Client(Base):
    @property
    def users(self):
        from .users.builder import Users
        return Users()
    @property
    def groups(self):
        from .groups.builder import Groups
        return Groups()
""",
    "sdk/base.py": "import json\n",
    "sdk/users/__init__.py": "",
    "sdk/users/builder.py": """
try:
    from ..fast import quick
except ImportError:
    from ..slow import quick
class Users:
    def by_id(self, name):
        from .item import Item
        return Item()
    def get(self):
        from ..models.user import User
        return User()
""",
    "sdk/users/item.py": "from . import names\n",
    "sdk/users/names.py": "",
    "sdk/fast.py": "",
    "sdk/slow.py": "",
    "sdk/groups/builder.py": "",
    "sdk/models/user.py": "",
    "sdk/models/typed.py": "",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where a small SDK is installed."""
    for name, text in _FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def kept(site: Path, *followed: str) -> set[str]:
    return {path.relative_to(site).as_posix() for path in reached(site, "sdk.client", frozenset(followed))}


_ALWAYS = {"sdk/__init__.py", "sdk/client.py", "sdk/base.py"}


def test_what_nobody_follows_is_not_kept(site: Path) -> None:
    assert kept(site) == _ALWAYS


def test_what_a_followed_property_imports_is_kept_with_all_that_it_needs(site: Path) -> None:
    users = {"sdk/users/__init__.py", "sdk/users/builder.py", "sdk/fast.py", "sdk/slow.py"}
    assert kept(site, "users") == _ALWAYS | users
    assert kept(site, "users", "by_id") == _ALWAYS | users | {"sdk/users/item.py", "sdk/users/names.py"}


def test_models_are_not_reached_by_building_a_request(tmp_path: Path, site: Path) -> None:
    code = tmp_path / "ours.py"
    code.write_text("def build(c):\n    c.session.get('x')\n    return c.users.by_id('1')\n")

    followed = attributes([code])

    assert {"users", "by_id"} <= followed
    assert not any("models" in one for one in kept(site, *followed))


def test_what_azd_deploys_is_what_is_built() -> None:
    described = (ROOT / "azure.yaml").read_text(encoding="utf-8")

    assert f"    dist: {(OUT / 'app').relative_to(ROOT)}\n" in described
    assert "    remoteBuild: false\n" in described
    assert "      run: make package\n" in described


def test_the_apps_process_finds_nothing_beside_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, ours = tmp_path / "app" / SITE, "/somewhere/lib/python3.13/site-packages"
    own.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", ["", str(own), ours, "/somewhere/lib/python3.13"])

    leave_alone(tmp_path)  # no package: the checkout's own app
    assert ours in sys.path

    leave_alone(tmp_path / "app")
    assert sys.path == ["", str(own), "/somewhere/lib/python3.13"]
