"""`import shared.anything` in an empty environment does nothing, and loads no model family of the SDK."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).parents[2]

# An audit hook sees what happens behind our back. Libraries do look at the machine when they are imported, so the second
# import is watched: they are there by then, and only our own modules run anew.
_SCRIPT = """
import importlib, json, os, pkgutil, sys, threading
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
did = []
def import_all():
    for name in [name for name in sys.modules if name.partition(".")[0] == "shared"]:
        del sys.modules[name]
    import shared
    names = [module.name for module in pkgutil.walk_packages(shared.__path__, "shared.")]
    for name in names:
        importlib.import_module(name)
    return names
def hook(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.fork", "os.putenv", "os.mkdir", "sqlite3.")):
        did.append(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        did.append(f"{event} {arguments[0]}")
import_all()
sys.addaudithook(hook)
names = import_all()
from shared.services import _Installed
print(json.dumps({
    "modules": names,
    "did": did,
    "threads": threading.active_count(),
    "services": _Installed.services is not None,
    "models": [name for name in sys.modules if name.startswith("msgraph.generated.models")],
    "loaded": len(sys.modules),
}))
"""


@cache
def imported() -> dict[str, Any]:
    """What one process with an empty environment saw when it imported every module."""
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SCRIPT, str(_PROJECT)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    seen: dict[str, Any] = json.loads(found.stdout)
    return seen


def test_every_module_is_imported_in_an_empty_environment() -> None:
    files = {path for path in (_PROJECT / "shared").rglob("*.py") if path.name != "__init__.py"}

    assert len(files) <= len(imported()["modules"])


def test_nothing_happens_at_import() -> None:
    assert imported()["did"] == []
    assert imported()["threads"] == 1
    assert imported()["services"] is False


def test_no_model_family_of_the_sdk_is_loaded() -> None:
    """The SDK has thousands of model modules; loading one large family takes seconds and hundreds of megabytes."""
    assert imported()["models"] == []
    assert imported()["loaded"] < 2000


def test_a_cold_start_loads_nothing_that_only_some_work_needs() -> None:
    """Loading them takes time that every first request would wait for."""
    script = "import sys, function_app; print([name for name in sys.argv[1:] if name in sys.modules])"
    later = ["shared.arm.client", "azure.storage.blob", "markdown_it", "jinja2"]
    found = subprocess.run(
        [sys.executable, "-c", script, *later], env={}, cwd=_PROJECT, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
