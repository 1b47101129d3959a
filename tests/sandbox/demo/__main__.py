"""`python -m tests.sandbox.demo [--faults harsh] [--seed N]`: exit code 0 only when Fabrikam is Ready, kept eligible, and a
locked role was asked for, approved, and ended by itself.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path

from rich.console import Console

from tests.sandbox.azurite import AzuriteError
from tests.sandbox.demo.activation import Activated, Activating
from tests.sandbox.demo.nights import HALF_A_YEAR, HalfYear, Nights
from tests.sandbox.demo.play import Play
from tests.sandbox.demo.report import (
    print_activation,
    print_checklists,
    print_permissions,
    print_proof,
    print_record,
    print_renewal,
    summary,
    write_json,
)
from tests.sandbox.demo.screen import open_screen
from tests.sandbox.demo.view import READY
from tests.sandbox.faults import PRESETS
from tests.sandbox.host import AppFailedToLoad
from tests.sandbox.processes import end_tidily_when_told
from tests.sandbox.receiver import new_key
from tests.sandbox.session import Session
from tests.sandbox.world import World

_RESULTS = Path("build") / "demo"
_DEADLINE_SECONDS = {"none": 55.0, "harsh": 180.0}
_NIGHTS_SECONDS = {"none": 180.0, "harsh": 300.0}
_ACTIVATION_SECONDS = {"none": 60.0, "harsh": 240.0}
_EVERY = {"none": 2, "harsh": 7}
"""Nights are slow to play, so that some are passed over, as if the app were down: the window is wider by far."""


def main() -> int:
    """Parse, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.demo", description=__doc__)
    parser.add_argument("--faults", choices=sorted(PRESETS), default="none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="give up each part after this long")
    parser.add_argument("--days", type=int, default=HALF_A_YEAR, help="how long after the onboarding; 0 for not at all")
    chosen = parser.parse_args()
    wide = None if sys.stdout.isatty() else 140
    console = Console(width=wide)
    try:
        return asyncio.run(_demo(console, chosen))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped; nothing is left running", style="yellow")
        return 130
    except (AzuriteError, AppFailedToLoad) as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 2


async def _demo(console: Console, chosen: argparse.Namespace) -> int:
    end_tidily_when_told()
    folder = Path(tempfile.mkdtemp(prefix="tenantry-demo-"))
    try:
        with Session(folder) as session:
            key = new_key()
            faults = PRESETS[chosen.faults](chosen.seed)
            settings = {"TENANTRY_FINANCE_KEY": key}
            async with World(folder=folder, session=session, faults=faults, settings=settings) as world:
                return await _play(console, world, chosen, key)
    finally:
        _keep(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _play(console: Console, world: World, chosen: argparse.Namespace, key: str) -> int:
    half_year: HalfYear | None = None
    activated: Activated | None = None
    with open_screen(console, world.clock.now) as screen:
        play = Play(world, screen)
        _, trouble = await _watched(play.run(), chosen.deadline or _DEADLINE_SECONDS[chosen.faults])
        view, now, calls = play.view, world.clock.now(), len(world.clouds.recorder.entries)
        ready = view is not None and view.state == READY and not trouble
        if ready and view is not None and chosen.days:
            nights = Nights(world, screen, view).run(chosen.days, every=_EVERY[chosen.faults])
            half_year, trouble = await _watched(nights, chosen.deadline or _NIGHTS_SECONDS[chosen.faults])
        if ready and not trouble:
            activating = Activating(world, screen, key).run()
            activated, trouble = await _watched(activating, chosen.deadline or _ACTIVATION_SECONDS[chosen.faults])
    told = summary(view, now=now, vendor_calls=calls, half_year=half_year, activated=activated)
    write_json(_RESULTS / "summary.json", told)
    if view is not None:
        write_json(_RESULTS / "record.json", json.loads(play.body))
        print_record(console, view, now)
        print_checklists(console, view)
        print_proof(console, view)
        print_permissions(console, view, {tenant.id: tenant.display_name for tenant in world.clouds.tenants.values()})
    if view is not None and half_year is not None:
        print_renewal(console, view, half_year)
    if activated is not None:
        print_activation(console, activated)
    for violation in world.violations():
        trouble = trouble or "the sandbox saw calls that Microsoft's services would not take"
        console.print(f"violation: {violation}", style="red", markup=False, highlight=False)
    alive = not chosen.days or (half_year is not None and half_year.is_alive)
    if ready and not alive:
        trouble = trouble or "half a year later not every eligibility is in force and lasts longer than it did"
    if ready and alive and not (activated is not None and activated.is_well):
        trouble = trouble or "the activation did not go as it should: see `activation` in the summary"
    console.rule()
    if trouble:
        console.print(trouble, style="red", markup=False, highlight=False)
    console.print(
        f"{len(world.clouds.recorder.entries)} calls to Microsoft; see {_RESULTS}/summary.json, traffic.jsonl, "
        "record.json and app.log",
        highlight=False,
    )
    return 0 if ready and alive and not trouble else 1


async def _watched[T](work: Awaitable[T], deadline: float) -> tuple[T | None, str]:
    """Run it; gives what came of it and what went wrong, because the record is worth showing then too."""
    try:
        async with asyncio.timeout(deadline):
            return await work, ""
    except TimeoutError as late:
        return None, str(late) or f"not done after {deadline:.0f} s"
    except Exception as error:  # noqa: BLE001
        return None, "; ".join(f"{type(each).__name__}: {each}" for each in _leaves(error))


def _leaves(error: Exception) -> list[Exception]:
    if isinstance(error, ExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


def _keep(folder: Path) -> None:
    _RESULTS.mkdir(parents=True, exist_ok=True)
    for name in ("traffic.jsonl", "app.log"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, draft := _RESULTS / f".{folder.name}.{name}")
            draft.replace(_RESULTS / name)


if __name__ == "__main__":
    sys.exit(main())
