"""Times main_handler against the SDK's own calls, in turn, in one process: `warm EVENT RESULTS RUNS`.

Its environment is the function's; what the function prints goes to standard output, the figures to RESULTS.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

from qcloud_cos import CosConfig, CosS3Client

from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY
from bench.timing import in_turn, timed
from derivo.events import Source, sources
from derivo.loading import load
from derivo.matching import RuleSetIndex
from derivo.plan import plan

sys.path.insert(0, str(ROOT / "functions"))
import index

_REPEAT = 20
_CONTEXT = {"request_id": "bench", "time_limit_in_ms": 120_000}


def main(event_path: str, results: str, runs: int) -> None:
    event = json.loads(Path(event_path).read_text(encoding="utf-8"))
    source = next(source for source in sources(event) if isinstance(source, Source))
    made = plan(source, RuleSetIndex(load(os.environ["DERIVO_RULES"]).rule_sets))
    proxies = {"http": os.environ["DERIVO_COS_PROXY"]}
    client = CosS3Client(
        CosConfig(Region=REGION, SecretId=SECRET_ID, SecretKey=SECRET_KEY, Scheme="http", Proxies=proxies, Timeout=60)
    )

    def bare() -> None:
        for request in made.requests:
            client.ci_image_process(Bucket=BUCKET, Key="/" + source.key, PicOperations=request.pic_operations)
        if made.verify:
            client.head_object(Bucket=BUCKET, Key="/" + source.key)

    if index.main_handler(event, _CONTEXT)["written"] != len(made.derivatives):
        raise RuntimeError("the function did not write what it should")
    ours, theirs = in_turn(
        partial(timed, partial(index.main_handler, event, _CONTEXT), _REPEAT), partial(timed, bare, _REPEAT), runs
    )
    Path(results).write_text(json.dumps({"ours": ours, "theirs": theirs}), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
