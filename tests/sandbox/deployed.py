"""Which app runs in the sandbox: the checkout's own, or a package that was built of it (`make test APP=...`)."""

import os
import sys
from pathlib import Path

from tools.layout import ROOT, SITE

_VARIABLE = "TENANTRY_SANDBOX_APP"


def app_directory() -> Path:
    """The folder that holds `function_app.py`."""
    found = ROOT / os.environ.get(_VARIABLE, "")
    if not (found / "function_app.py").is_file():
        raise SystemExit(f"APP: there is no function_app.py in {found}; make package builds build/package/app")
    return found


def search_path() -> dict[str, str]:
    """What the app's process needs to find a package's own modules first, as the Functions worker does."""
    site = app_directory() / SITE
    return {"PYTHONPATH": str(site)} if site.is_dir() else {}


def leave_alone(directory: Path) -> None:
    """In the app's process: what its package lacks is not found elsewhere either."""
    site = directory / SITE
    if site.is_dir():
        sys.path[:] = [one for one in sys.path if not one.endswith("site-packages") or Path(one) == site]
