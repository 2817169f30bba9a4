"""What came of one run of a function (SCF 3.1, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OK = 200
TAKEN_IN = 202
TOO_LARGE = 406
TOO_MANY = 429
CODE_ERROR = 430
THROTTLED = 432
TIMEOUT = 433
OUT_OF_MEMORY = 434
NO_HANDLER = 437
EXITED = 439
SYSTEM_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class Result:
    """`status` is SCF's code. On success `value` is the return value as JSON text; otherwise `message` says what went
    wrong and `trace` holds the stack, line by line. `duration` is seconds, `memory` the peak in bytes (0: unknown);
    `cold` is the seconds that the initialisation took when this run began with one."""

    request_id: str
    status: int
    value: str = ""
    message: str = ""
    trace: tuple[str, ...] = ()
    duration: float = 0.0
    memory: int = 0
    cold: float | None = None

    @property
    def ok(self) -> bool:
        return self.status == OK

    @property
    def is_platforms(self) -> bool:
        """True when the run failed through no fault of the function: throttled, or a system error (SCF 3.1)."""
        return self.status in (TOO_MANY, THROTTLED, SYSTEM_ERROR)

    def body(self) -> dict[str, Any]:
        """The documented JSON of a failed run (SCF 3.4). An exception stands in the stack alone (583/39704)."""
        return {
            "errorCode": -1,
            "errorMessage": "user code exception caught" if self.status == CODE_ERROR else self.message,
            "requestId": self.request_id,
            "stackTrace": "\n".join(self.trace) or self.message,
            "statusCode": self.status,
        }
