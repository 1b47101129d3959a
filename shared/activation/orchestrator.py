"""The order in which a request is followed: a look, a wait that anything new cuts short, and so on. No I/O, no decisions."""

from datetime import timedelta

from shared.activation.messages import LOOK, Look, Over
from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.run import RunKey

_LONGEST = timedelta(hours=26)
"""PIM lets a request wait for 24 hours; what is left of it then, the watcher begins anew."""

_FIRST_PAUSE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 900.0


def follow_activation(context: Context, run: RunKey) -> Steps[None]:
    """One request, until it is decided, or has ended."""
    sleeper = Sleeper(context)
    failures, until = 0, context.current_utc_datetime + _LONGEST
    while context.current_utc_datetime < until:
        try:
            outcome = yield from call(context, LOOK, Look(run=run))
        except ActivityFailed:
            failures += 1
            yield from sleeper.sleep(min(_FIRST_PAUSE_SECONDS * failures, _LONGEST_PAUSE_SECONDS))
            continue
        failures = 0
        if isinstance(outcome, Over):
            return
        yield from sleeper.sleep(outcome.seconds)
