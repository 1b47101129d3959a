"""A small driver in the place of the .NET Functions host; the app runs in Microsoft's Python worker, as in Azure."""

from tests.sandbox.host.bindings import FunctionInfo
from tests.sandbox.host.circle import Circle
from tests.sandbox.host.driver import Host
from tests.sandbox.host.snapshot import Orchestration
from tests.sandbox.host.worker import AppFailedToLoad, AppLost
from tests.sandbox.host.zygote import Zygote

__all__ = ["AppFailedToLoad", "AppLost", "Circle", "FunctionInfo", "Host", "Orchestration", "Zygote"]
