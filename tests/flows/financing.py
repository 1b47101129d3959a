"""Finance's system in a scene: verdicts by signed webhook."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from standardwebhooks import Webhook

from tests.flows.activating import Locked
from tests.sandbox.receiver import new_key

KEY, PREVIOUS, STRANGE = new_key(), new_key(), new_key()
PATH = "/api/webhooks/finance"
SETTINGS = {"TENANTRY_FINANCE_KEY": KEY, "TENANTRY_FINANCE_PREVIOUS_KEY": PREVIOUS}


class Finance:
    """The finance system of Contoso."""

    def __init__(self, found: Locked) -> None:
        self.found = found

    def body(self, request_id: str, verdict: str = "approve", by: str = "", **changes: Any) -> bytes:
        """A verdict."""
        data = {"request": request_id, "verdict": verdict, "approver": by or self.found.fiona.object_id, "reason": "ok"}
        message = {"type": "finance.verdict", "timestamp": "2026-03-02T09:00:00Z", "data": {**data, **changes}}
        return json.dumps(message).encode()

    async def says(
        self,
        request_id: str,
        verdict: str = "approve",
        *,
        message_id: str = "msg_1",
        key: str = KEY,
        by: str = "",
        ago: timedelta = timedelta(),
        sent: bytes | None = None,
        **changes: Any,
    ) -> httpx.Response:
        """POST of a signed verdict; `sent` takes the place of the body that was signed."""
        body = self.body(request_id, verdict, by, **changes)
        return await self.send(body if sent is None else sent, message_id, self.signed(body, message_id, key, ago), ago)

    def signed(self, body: bytes, message_id: str, key: str = KEY, ago: timedelta = timedelta()) -> str:
        """The signature of a body."""
        return Webhook(key).sign(message_id, datetime.now(UTC) - ago, body.decode())

    async def send(self, body: bytes, message_id: str, signature: str, ago: timedelta = timedelta()) -> httpx.Response:
        """POST with these headers."""
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int((datetime.now(UTC) - ago).timestamp())),
            "webhook-signature": signature,
        }
        return await self.found.scene.call("POST", PATH, content=body, token=None, headers=headers)
