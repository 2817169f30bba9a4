"""Asking COS how it reads fileids, where nobody told: by one harmless processing call of the source at hand. Its
results lie in a folder of Derivo's own, whichever way they are read, and are deleted. What is learned holds for the
instance.
"""

from __future__ import annotations

from typing import Optional

from derivo.calls import Calls
from derivo.cos import CosFailure
from derivo.fileids import BASE64URL, PLAIN, PROBES, bare, question, understood

# What COS says to a fileid that it cannot read, as it may say to a rule.
REFUSALS = frozenset(["InvalidPicOperations", "InvalidArgument", "InvalidRequest"])


def find_out(calls: Calls, bucket: str) -> Optional[CosFailure]:
    """Learn what is not known. Returns why it could not be learned, None when all is known.

    URL-safe base64 is asked for only where plain text was refused: COS would take it for a relative key.
    """
    known = calls.fileids.encoding
    failure = _ask(calls, bucket, known or PLAIN)
    if failure is not None and failure.code in REFUSALS and known is None:
        failure = _ask(calls, bucket, BASE64URL)
    return failure


def _ask(calls: Calls, bucket: str, encoding: str) -> Optional[CosFailure]:
    attempt = 1
    failure = _ask_once(calls, bucket, encoding)
    while failure is not None and calls.try_again(failure, attempt):
        attempt += 1
        failure = _ask_once(calls, bucket, encoding)
    return failure


def _ask_once(calls: Calls, bucket: str, encoding: str) -> Optional[CosFailure]:
    # whatever another thread has learned meanwhile: what is encoded twice is a key among the sources
    answer = calls.process(question(encoding), spoken=True)
    if isinstance(answer, CosFailure):
        return answer
    named = [bare(result.key) for result in answer.results]
    fileids = calls.fileids
    fileids.learn(*understood(named, encoding))
    for key in named:
        if key.startswith(PROBES):
            calls.clear_away(bucket, key)
    if fileids.encoding is None or fileids.path is None:
        return CosFailure("MissingFromAnswer", "CI answered 200 without telling how it reads fileids")
    return None
