"""What README says of states, commands and log events is what is there."""

import json
import re
from collections.abc import Iterator

from shared.tenants.states import State
from tests.unit.told import ROOT, logged

_TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_state_that_a_tenant_can_have_is_told() -> None:
    table = _TEXT[_TEXT.index("## States and what to do") : _TEXT.index("Events in the log")]
    told = set(
        re.findall(r"`([A-Z][A-Za-z]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )

    assert told == set(State)


def test_every_command_is_a_target_of_make() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = re.findall(r"(?:`|^)make ([a-z ]+?)(?=`|$| FAULTS)", _TEXT, re.MULTILINE)
    told = {word for line in lines for word in line.split()}

    assert told <= targets
    assert {"demo", "test", "sandbox", "check", "matrix", "bench"} <= told


def test_ci_runs_what_is_said() -> None:
    [(told, packaged)] = re.findall(r"CI runs `make ([a-z ]+)`, and (.+) with what is in the package", _TEXT)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert re.findall(r"^for step in (.+); do$", script, re.MULTILINE) == [told]
    of_package = re.findall(r"make --no-print-directory (\w+) APP=build/package/app", script)
    assert of_package == re.findall(r"`make (\w+)`", packaged)


def test_the_hosts_limits_are_those_of_host_json() -> None:
    def values(found: object) -> Iterator[tuple[str, object]]:
        for name, value in found.items() if isinstance(found, dict) else ():
            yield name, value
            yield from values(value)

    host = dict(values(json.loads((ROOT / "host.json").read_text(encoding="utf-8"))))
    part = _TEXT[_TEXT.index("### The host's limits") : _TEXT.index("## What it costs")]
    told = dict(re.findall(r"^\| `(\w+)`[^|]*\| `([^`]+)` \|", part, re.MULTILINE))

    assert told == {name: json.dumps(host[name]).strip('"') for name in told}
    limits = [
        name for name in host if name.startswith("max") or name in ("functionTimeout", "partitionCount", "hubName")
    ]
    assert set(limits) <= set(told)


def test_every_event_that_is_told_is_logged_and_every_warning_is_told() -> None:
    part = _TEXT[_TEXT.index("Events in the log") : _TEXT.index("**Stuck?**")]
    told = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", part))

    assert told <= set(logged())
    assert {event for event, level in logged().items() if level != "info"} <= told
