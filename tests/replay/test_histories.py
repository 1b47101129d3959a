"""Histories that ran before an upgrade must be taken by the orchestrators after it (functions-host facts, 9).

A failure here means: give the changed orchestrator a new name, or drain the task hub before the upgrade.
"""

from typing import Any

import pytest

from shared.running.acts import ORCHESTRATORS
from tests.replay.record import STORIES
from tests.replay.replaying import CURRENT, HISTORIES, recorded, replayed, scheduled
from tests.sandbox.host.history import EventType

pytestmark = [
    # The SDK tells of a mode of its own, which the app runs in; and of an event that came before anybody waited for it.
    pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type"),
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion for TaskId. wake"),
]

NAMES = sorted(path.stem for path in HISTORIES.glob("*.json"))


def ends_of_episodes(run: dict[str, Any]) -> list[int]:
    """After how many events each episode of the run had read all that it was told."""
    history = run["history"]
    return [
        number
        for number, each in enumerate(history)
        if each["EventType"] == EventType.ORCHESTRATOR_STARTED and number > 0
    ]


def test_there_is_a_history_of_every_story_and_orchestrator() -> None:
    assert set(STORIES) == set(NAMES)
    assert set(CURRENT) == set(ORCHESTRATORS.values())
    assert {recorded(name)["orchestrator"] for name in NAMES} == set(CURRENT)


@pytest.mark.parametrize("name", NAMES)
def test_the_current_orchestrator_asks_for_just_what_the_recorded_run_asked_for(name: str) -> None:
    run = recorded(name)

    asked, done = replayed(run)

    assert asked == scheduled(run["history"])
    assert done


@pytest.mark.parametrize("name", NAMES)
def test_it_does_so_wherever_the_upgrade_comes_in_between(name: str) -> None:
    run = recorded(name)
    everything = scheduled(run["history"])

    for events in ends_of_episodes(run):
        asked, done = replayed(run, events=events)

        assert asked == everything[: len(asked)]
        assert len(asked) >= len(scheduled(run["history"][:events]))
        assert not done


def test_a_changed_order_is_noticed() -> None:
    """The proof that this file can fail: a history whose first activity is another one."""
    run = recorded("onboarding-of-two-analysts")
    first = next(each for each in run["history"] if each["EventType"] == EventType.TASK_SCHEDULED)
    first["Name"] = "somebody_elses_activity"

    asked, _ = replayed(run)

    assert asked != scheduled(run["history"])
