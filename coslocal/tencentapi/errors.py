"""The errors of the cloud's API: a code and a message inside a 200 (583/17244; common codes 583/17240)."""

from __future__ import annotations


class ApiError(Exception):
    """`code` is the documented one, such as `AuthFailure.SignatureFailure`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
