"""The doctor's report, as text for a terminal and as JSON. Pure."""

from collections.abc import Iterator

import msgspec

from shared.doctor.findings import FACTS, Answer, Judged, Report

_SAID = {
    Answer.LIKELY: "as likely",
    Answer.OTHER: "otherwise",
    Answer.OPEN: "open",
    Answer.BARRED: "not asked",
    Answer.AS_APP: "as the app",
    Answer.BY_HAND: "by hand",
}
_WIDTH = 42


def as_json(report: Report) -> str:
    """One object, with what to do and the exit code."""
    whole = {"exitCode": report.exit_code, "toDo": report.to_do, "checks": report.checks, "facts": report.facts}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def as_text(report: Report) -> str:
    """Checks, then facts, then what to do."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield "HEALTH"
    for one in report.checks:
        yield f"  {'ok ' if one.sound else 'BAD'} {one.name}: {one.told}"
    yield ""
    yield "WHAT MICROSOFT LEAVES OPEN"
    for fact in report.facts:
        yield from _fact(fact)
    yield ""
    yield "TO DO" if report.to_do else "NOTHING TO DO"
    yield from (f"  - {one}" for one in report.to_do)


def _fact(fact: Judged) -> Iterator[str]:
    known = FACTS[fact.id]
    yield f"  {fact.id:<{_WIDTH}} {_SAID[fact.answer]}"
    if fact.answer is Answer.LIKELY:
        yield f"      {known.question} {known.likely}"
    elif fact.answer is Answer.OTHER:
        yield f"      {known.question} {known.other}"
    else:
        yield f"      {known.question}"
    yield f"      {fact.told}"
    yield f"      settled {fact.settled}, as {fact.as_whom}"
    yield f"      code: {', '.join(fact.depends)}"
    for one in fact.found:
        if one.told != fact.told or len(fact.found) > 1:
            yield f"      {one.where}: {_SAID[one.answer]}, {one.told}"
