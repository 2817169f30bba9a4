"""Runs inside a function's own process: imports its handler, then answers one event a line until there are no more.

Started by path with the function's interpreter (3.9 or newer) and four arguments: the descriptor to read from, the one
to write to, the code root and the handler. It imports nothing of coslocal. It speaks over descriptors of its own, so
that what the function or its child processes print cannot be taken for an answer.

In, one JSON object a line: {"event": ..., "context": {...}}. Out, one a line: first {"memory": ...} or {"error": ...};
then for each event {"value": "<JSON text>", "memory": ...} or {"error": {"status", "message", "trace"}, "memory": ...}.
`memory` is the peak in bytes.
"""

from __future__ import annotations

import sys

# This file's folder must not shadow the standard library (it has a queue.py): put the function's there, first of all.
if not sys.flags.isolated:  # an isolated interpreter has not put it there
    del sys.path[0]
sys.path.insert(0, sys.argv[3])

import contextlib
import importlib
import json
import os
import resource
import traceback
from typing import Any, BinaryIO, Callable, Dict, Optional, Tuple  # noqa: UP035

CODE_ERROR = 430
NO_HANDLER = 437
LARGEST_VALUE = 6 * 1024 * 1024
LONGEST_MESSAGE = 8 * 1024
LONGEST_TRACE = 64 * 1024

Answer = Dict[str, Any]  # noqa: UP006
Handler = Callable[[Any, Any], Any]


def main() -> None:
    incoming, outgoing, root, handler = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    for descriptor in (incoming, outgoing):
        os.set_inheritable(descriptor, False)
    os.chdir(root)
    sys.argv = [""]
    with os.fdopen(incoming, "rb") as requests, os.fdopen(outgoing, "wb") as answers:
        function, error = find(handler)
        if function is None:
            reply(answers, {"error": error})
            return
        reply(answers, {"memory": peak()})
        for line in requests:
            request = json.loads(line)
            forget_peak()
            answer = call(function, request["event"], request["context"])
            reply(answers, {**answer, "memory": peak()})


def find(handler: str) -> Tuple[Optional[Handler], Answer]:  # noqa: UP006, UP045
    """The function; or None and the error: 437 when it is not there, 430 when its file cannot be imported."""
    module_name, _, name = handler.partition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name == module_name:
            return None, failure(NO_HANDLER, f"there is no file {module_name}.py at the root of the code")
        return None, described(error)
    except Exception as error:
        return None, described(error)
    function = getattr(module, name, None)
    if not callable(function):
        return None, failure(NO_HANDLER, f"{module_name}.py has no function {name}")
    return function, {}


def call(function: Handler, event: Any, context: Any) -> Answer:
    try:
        returned = function(event, context)
    except Exception as error:  # SystemExit is not among them: it ends the process, as in the cloud
        return {"error": described(error)}
    try:
        value = json.dumps(returned)
    except Exception as error:
        return {"error": failure(CODE_ERROR, f"the return value cannot be written as JSON: {error}")}
    if len(value) > LARGEST_VALUE:
        return {"error": failure(CODE_ERROR, f"the return value takes {len(value)} bytes, more than 6 MB")}
    return {"value": value}


def described(error: BaseException) -> Answer:
    """The error in one line, and its stack without the frames of this file and of the import machinery."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__, limit=-50)
        if frame.filename != __file__ and "importlib" not in frame.filename
    ]
    text = traceback.format_exception_only(type(error), error)
    trace = "".join(traceback.format_list(frames) + text)
    return failure(CODE_ERROR, text[-1].strip(), trace)


def failure(status: int, message: str, trace: str = "") -> Answer:
    return {"status": status, "message": message[:LONGEST_MESSAGE], "trace": trace[:LONGEST_TRACE].splitlines()}


def forget_peak() -> None:
    """Let the kernel count the peak of memory anew, where it can."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")


def peak() -> int:
    """The most memory that was resident, in bytes. (Linux's ru_maxrss begins with what the parent had.)"""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reply(answers: BinaryIO, message: Answer) -> None:
    """Answer, after what was printed has left: it belongs in this request's log and not in the next one's."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the function closed or replaced it
            stream.flush()
    answers.write(json.dumps(message).encode("ascii") + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
