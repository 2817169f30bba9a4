"""Started by path in a function's folder: imports index, handles the event in the named file, says how it went.

It stands for the platform's runtime, so it imports next to nothing; the last line it prints is JSON with `ok` and
`peak`, the most memory this process had, in bytes.
"""

import json
import sys

del sys.path[0]  # this file's own folder; the function's is in PYTHONPATH
with open(sys.argv[1], encoding="utf-8") as _file:  # noqa: PTH123
    _EVENT = json.load(_file)

import index  # noqa: E402

_CONTEXT = {"request_id": "bench", "time_limit_in_ms": 120000, "memory_limit_in_mb": 128}
_SUMMARY = index.main_handler(_EVENT, _CONTEXT)
with open("/proc/self/status", encoding="ascii", errors="replace") as _status:  # noqa: PTH123
    _PEAK = next(int(line.split()[1]) * 1024 for line in _status if line.startswith("VmHWM"))
_OK = _SUMMARY["sources"] > 0 and _SUMMARY["failed"] == 0 and _SUMMARY["written"] > 0
sys.stdout.write(json.dumps({"ok": _OK, "peak": _PEAK}) + "\n")
