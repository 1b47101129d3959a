"""The HTTP operations of the outbox."""

from shared.notify import triggers
from shared.notify.answers import OutboxView
from shared.operations import OPERATORS, READERS, Operation, json

OPERATIONS = (
    Operation(
        name="get_outbox",
        method="GET",
        path="outbox",
        told="how many alarms could not be delivered yet to the webhook and to Teams, since when, and why",
        function=triggers.get_outbox,
        who=READERS,
        answers={200: json("How each destination stands.", OutboxView)},
    ),
    Operation(
        name="retry_outbox",
        method="POST",
        path="outbox/retry",
        told="sends anew what could not be delivered, also what was given up or refused, and to a destination that was gone",
        function=triggers.retry_outbox,
        who=OPERATORS,
        answers={200: json("How each destination stands.", OutboxView)},
    ),
)
