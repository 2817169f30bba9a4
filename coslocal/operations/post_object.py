"""POST /: an upload from an HTML form (multipart/form-data)."""

from __future__ import annotations

from coslocal.http import Response
from coslocal.operations.call import Call
from coslocal.wire.errors import NotOffered


def post_object(call: Call) -> Response:
    raise NotOffered("coslocal does not offer POST Object")
