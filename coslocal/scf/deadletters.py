"""Dead letters: events that were given up, one JSON object a line in the shape of SCF's dead-letter queue (SCF 3.3)."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from coslocal.scf.function import Account, Function
from coslocal.scf.result import Result
from coslocal.scf.schedule import Message, Policy


def letter(
    message: Message, result: Result, *, function: Function, account: Account, policy: Policy, now: float
) -> dict[str, Any]:
    """The documented message. `Body.ClientContext` is the event itself, as JSON text, ready to be replayed."""
    return {
        "RequestId": message.request_id,
        "ErrorCode": result.status,
        "ErrorMessage": result.message,
        "Body": {
            "AppId": int(account.appid),
            "Uin": account.uin,
            "SubAccountUin": account.uin,
            "RequestSource": message.source,
            "FunctionName": function.name,
            "Namespace": function.namespace,
            "Qualifier": message.qualifier,
            "InvocationType": "Event",
            "ClientContext": message.event,
            "LogType": "None",
            "TimeStampForInvoker": int(now * 1000),
            "RequestId": message.request_id,
            "PushTime": int(message.pushed),
            "RetryNum": max(0, message.failures - 1),
            "Ttl": int(policy.max_age),
        },
    }


class DeadLetters:
    """Appends letters to a file that only its owner may read: an event holds the uploader's signature."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._append(b"")  # an unusable path shows at the start, not with the first letter

    def add(self, content: dict[str, Any]) -> None:
        """Raises OSError when it cannot be written."""
        self._append(json.dumps(content).encode("ascii") + b"\n")

    def _append(self, data: bytes) -> None:
        with self._lock:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
