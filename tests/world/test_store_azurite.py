"""The local Table Storage: fresh accounts, and no process left behind."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from tests.sandbox.azurite import Azurite

_STARTS_AZURITE_AND_WAITS = """
import sys
from tests.sandbox.azurite import Azurite
azurite = Azurite()
azurite.take()
print(*azurite.processes, flush=True)
sys.stdin.read()
"""


def test_every_account_is_a_store_of_its_own(azurite: Azurite) -> None:
    first, second = azurite.take(), azurite.take()

    with (
        TableServiceClient.from_connection_string(first.connection_string()) as one,
        TableServiceClient.from_connection_string(second.connection_string()) as other,
    ):
        one.create_table("Runs")

        assert [table.name for table in one.list_tables()] == ["Runs"]
        assert list(other.list_tables()) == []


def test_another_process_is_started_when_the_accounts_are_used_up() -> None:
    with Azurite(accounts_per_process=1) as small:
        first, second = small.take(), small.take()

        assert first.name != second.name
        assert first.endpoint.split("/")[2] != second.endpoint.split("/")[2]
        assert len(small.processes) == 2
    assert not small.processes


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is no child: Linux only")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_started_it_whatever_way_that_one_ends(
    end: signal.Signals, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTS_AZURITE_AND_WAITS],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        azurite_id = int(parent.stdout.readline())
        azurite_end = os.pidfd_open(azurite_id)

        parent.send_signal(end)

        ended, _, _ = select.select([azurite_end], [], [], 10)
        os.close(azurite_end)
        assert ended
