"""The composed world: the app that ships runs in it, and leaving it leaves nothing."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.conftest import OpenWorld
from tests.sandbox.world import World
from tools.layout import ROOT

pytestmark = pytest.mark.sampled(5)

_MARK = "TENANTRY_TEST_MARK"


async def _get(world: World, path: str, token: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        return await client.get(f"{world.host.url}{path}")


async def test_the_app_is_healthy_with_store_and_credential(world: World) -> None:
    assert (await _get(world, "/api/health")).status_code == 204


async def test_a_token_of_the_world_opens_the_api_and_none_is_refused(world: World) -> None:
    assert (await _get(world, "/api/tenants", world.reader_token())).status_code == 200
    assert (await _get(world, "/api/tenants")).status_code == 401


async def test_two_worlds_side_by_side_share_nothing(open_world: OpenWorld) -> None:
    one, other = await open_world(), await open_world()

    assert one.host.url != other.host.url
    assert {account.name for account in one.accounts}.isdisjoint(account.name for account in other.accounts)
    assert (await _get(one, "/api/health")).status_code == 204
    assert (await _get(other, "/api/health")).status_code == 204


@contextmanager
def _demo(folder: Path, mark: str, *options: str, before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Tests that a shell runs in its background have it ignored, and what they start would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [*before, sys.executable, "-u", "-m", "tests.sandbox.demo", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), _MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def _left_running(mark: str) -> list[str]:
    """Processes that were started by the demo, however far down."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def _soon_nothing_left(mark: str) -> list[str]:
    """What still runs after a moment: the kernel needs one to end what was told to."""
    until = time.monotonic() + 5
    while (left := _left_running(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def test_the_demo_makes_fabrikam_ready_and_leaves_files_and_no_process(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    with _demo(tmp_path, mark, "--days", "0") as demo:
        said, _ = demo.communicate(timeout=100)

        assert demo.returncode == 0, said
    summary = msgspec.json.decode((tmp_path / "build" / "demo" / "summary.json").read_bytes())
    onboarding = summary["onboarding"]
    calls = (tmp_path / "build" / "demo" / "traffic.jsonl").read_text().splitlines()
    assert onboarding["state"] == "Ready"
    assert {act["state"] for act in onboarding["acts"]} == {"Done"}
    assert len(onboarding["eligibilities"]) == 3
    assert summary["renewal"] is None
    activation = summary["activation"]
    assert (activation["state"], activation["tamperedWebhook"], activation["verdict"]) == ("ended", 401, 202)
    assert (activation["heldWhileActive"], activation["heldAfterwards"]) == (True, False)
    assert onboarding["vendorCalls"] + activation["vendorCalls"] == len(calls)
    assert _soon_nothing_left(mark) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by their environment: Linux only")
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_the_demo_is_ended_in_the_middle(tmp_path: Path, told: signal.Signals) -> None:
    mark = uuid.uuid4().hex
    with _demo(tmp_path, mark) as demo:
        assert demo.stdout is not None
        # The first line comes when the whole world is up.
        assert "POST /api/tenants" in demo.stdout.readline()
        assert len(_left_running(mark)) >= 4

        demo.send_signal(told)
        demo.communicate(timeout=90)

    assert demo.returncode != 0
    assert _soon_nothing_left(mark) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by their environment: Linux only")
def test_nothing_is_left_running_when_make_is_killed(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    with _demo(tmp_path, mark, "--faults", "harsh", before=("sh", "-c", '"$@"; exit $?', "make")) as shell:
        assert shell.stdout is not None
        assert "POST /api/tenants" in shell.stdout.readline()

        shell.kill()

        assert _soon_nothing_left(mark) == []
