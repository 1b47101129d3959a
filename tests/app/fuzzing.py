"""Schemathesis over the API document: bounded, the same each time, and only as a library.

The engine is driven, not the pytest plugin: a world lives in the test's own event loop, so the calls come from a thread.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import engine
from schemathesis.engine import events

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
_FOUND_OFTEN = 0.8
"""How often a value is one that is there: chance alone would never name a tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Values that are there, by the place that takes them: `path.tenantId`, `query.cursor`, `body.analysts.groupId`."""

    places: Mapping[str, Sequence[str]]

    def settings(self) -> dict[str, Any]:
        """As schemathesis takes them."""
        return {
            "dictionaries": {place: {"values": list(values)} for place, values in self.places.items()},
            "parameters": {place: {"dictionary": place, "probability": _FOUND_OFTEN} for place in self.places},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the calls came to: how often an operation answered with a status, and what was not as described."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def operations(self) -> set[str]:
        """The operations that answered at all."""
        return {label for label, _ in self.answers}


def call_all(
    document: dict[str, Any],
    operations: Sequence[str],
    headers: Mapping[str, str],
    known: Known,
    *,
    examples: int,
    coverage: bool,
) -> Found:
    """Call these operations with what the document allows, and with what it does not.

    `coverage`: also the edges of every parameter and property, one by one.
    """
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "headers": dict(headers),
            "base-url": document["servers"][0]["url"],
            "continue-on-failure": True,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "phases": {
                "examples": {"enabled": False},
                "coverage": {"enabled": coverage, "unexpected-methods": []},
                "stateful": {"enabled": False},
            },
            "checks": {"enabled": False, **{name: {"enabled": True} for name in _CHECKS}},
            **known.settings(),
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config).include(operation_id=list(operations))
    found = Found()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _take(event, found)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.wrong.append(f"{getattr(event, 'label', '')}: {event}")
    return found


def _take(event: events.ScenarioFinished, found: Found) -> None:
    for case_id, call in event.recorder.interactions.items():
        status = call.response.status_code if call.response else 0
        found.answers[str(event.label), status] += 1
        for check in event.recorder.checks.get(case_id, ()):
            if check.failure_info is not None:
                found.wrong.append(
                    f"{event.label} {status} {check.name}: {check.failure_info.failure} by {check.failure_info.code_sample}"
                )
