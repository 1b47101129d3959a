"""What the benchmarks share."""

from collections.abc import Iterator

import pytest

from tests.sandbox.session import Session


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """As the other tests', but for what makes their app's process quicker than a deployed one."""
    with Session(tmp_path_factory.mktemp("session"), as_deployed=True) as running:
        yield running
