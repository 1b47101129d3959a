"""What all worlds of one test session or demo share: storage, the warmed parent of app processes, certificates."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.sandbox import deployed
from tests.sandbox.azurite import Azurite, Service
from tests.sandbox.certificates import Certificates
from tests.sandbox.host import Zygote


class Session:
    """Leaving it ends their processes; they end too when this process dies."""

    def __init__(self, folder: Path, *, as_deployed: bool = False) -> None:
        """`as_deployed`: the app's processes start with none of its modules imported, and nothing makes them quicker."""
        self.certificates = Certificates(folder)
        self._leaving = ExitStack()
        # aiohttp reads the trusted certificates when it is imported, which is in the zygote.
        environment = {**self.certificates.environment(), **deployed.search_path()}
        app = None if as_deployed else deployed.app_directory().resolve()
        self.zygote = self._leaving.enter_context(Zygote(environment=environment, app=app))
        self.azurite = self._leaving.enter_context(Azurite())
        self.blobs = self._leaving.enter_context(Azurite(service=Service.BLOB))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.close()
