"""What the proofs share."""

import pytest

from tests.privilege.proving import Prover
from tests.sandbox.session import Session


@pytest.fixture(scope="session")
def prover(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Prover:
    """The flows that this process has passed, each once."""
    return Prover(session, tmp_path_factory.mktemp("privilege"))
