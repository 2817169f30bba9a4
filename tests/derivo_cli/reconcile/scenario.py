"""`make scenario`: a whole bucket falls into disorder and is brought back, with derivo as it is typed.

2,000 images; 50 derivatives go, 30 sources are overwritten, one rule changes, 20 foreign files lie among the outputs.
`plan` tells just that; `apply` is killed ten times and goes on with `--resume`; then there is nothing to do, and doing
it again asks for nothing. Prints what it saw; an assertion ends it. The suite has it with fewer images.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import servers
from bench.pictures import photo
from bench.setting import BUCKET, REGION, ROOT, SECRET_ID, SECRET_KEY
from coslocal.pytest_given import new_client

RULES = """
prefix: in/
derivatives:
  - {name: t, to: '/out/{path}.t.png', rule: imageMogr2/thumbnail/20x/format/png}
  - {name: s, to: '/out/{path}.s.png', rule: imageMogr2/thumbnail/10x/format/png}
"""
BEFORE, AFTER = "thumbnail/20x", "thumbnail/24x"
NOTHING = "plan: nothing to do"
_A_SECOND = 1.1  # COS tells whole seconds: what happens within one is not told apart


@dataclass(frozen=True)
class Numbers:
    """How many of each."""

    images: int = 2000
    deleted: int = 50
    overwritten: int = 30
    foreign: int = 20
    kills: int = 10

    @property
    def classes(self) -> dict[str, int]:
        """What the plan must say. Both derivatives of an overwritten source are stale, of all others one is."""
        told = {
            "create": self.deleted,
            "stale-source": 2 * self.overwritten,
            "stale-spec": self.images - self.overwritten,
            "unknown": self.foreign,
        }
        named = told["create"] + told["stale-source"] + told["stale-spec"]
        return {**told, "up-to-date": 2 * self.images - named}


@dataclass
class Scenario:
    """A folder with rule sets, and the coslocal that its commands are pointed at."""

    url: str
    bucket: str
    folder: Path
    numbers: Numbers
    say: Callable[[str], None]
    chance: random.Random = field(default_factory=lambda: random.Random(6))

    def run(self) -> None:
        """From an empty bucket to the end. Raises AssertionError where it is not as it must be."""
        self._rules(BEFORE)
        self._put(self._keys(), photo(96, 64))
        self._settle(0)
        time.sleep(_A_SECOND)
        self._disorder()
        time.sleep(_A_SECOND)
        found = self.plan()
        told = {kind: count for kind, count in found["classes"].items() if count}
        assert told == self.numbers.classes, told
        assert [change["change"] for change in found["changes"]] == [f"{BEFORE} -> {AFTER}"]
        assert found["requests"] == self.numbers.images
        self.say(f"plan: {told}")
        self._settle(self.numbers.kills)
        assert self._width(self._keys()[0]) == self._width(self._keys()[-1]) == 24

    def plan(self) -> dict[str, Any]:
        done = self.derivo("plan", f"cos://{self.bucket}/", "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def derivo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end. 0 and 1 are good."""
        done = subprocess.run(
            [*_DERIVO, *arguments], cwd=self.folder, env=self._environ, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done

    def _settle(self, kills: int) -> None:
        """Apply, killed so often, until there is nothing to do; once more asks for nothing."""
        address = f"cos://{self.bucket}/"
        begun, repeated = self._requests(), sum(self._killed(address) for _ in range(kills))
        done = self.derivo("apply", address, "--resume")
        assert done.returncode == 0, done.stdout + done.stderr
        asked = self._requests() - begun
        assert self.numbers.images <= asked <= self.numbers.images + repeated, (asked, repeated)
        self.say(
            f"apply: {asked} requests for {self.numbers.images} sources; {repeated} were in flight at {kills} kills"
        )
        printed = self.derivo("plan", address).stdout
        assert printed.endswith(NOTHING + "\n"), printed
        assert self.derivo("apply", address).returncode == 0
        assert self._requests() - begun == asked
        self.say(f"{NOTHING}; apply once more: 0 requests")

    def _killed(self, address: str) -> int:
        """Apply until it is killed at random. Returns how many requests were in flight: asked for, in no journal."""
        before, known = self._requests(), self._journalled()
        enough = before + self.chance.randrange(1, max(2, self.numbers.images // (self.numbers.kills + 1)))
        command = [*_DERIVO, "apply", address, "--resume", "--qps", "100"]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while self._requests() < enough and process.poll() is None:
            time.sleep(0.005)
        assert process.poll() is None, "apply ended before it was killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # what was sent is still worked on
        return self._requests() - before - (self._journalled() - known)

    def _disorder(self) -> None:
        numbers, keys = self.numbers, self._keys()
        client = new_client(proxies={"http": self.url})
        for key in keys[: numbers.deleted]:
            client.delete_object(Bucket=self.bucket, Key=f"/out/{key}.s.png")
        self._put(keys[-numbers.overwritten :], photo(96, 72))
        self._put([f"out/foreign {number}.txt" for number in range(numbers.foreign)], b"not ours")
        self._rules(AFTER)

    def _keys(self) -> list[str]:
        return [f"in/{number % 7}/图 {number:04}.jpg" for number in range(self.numbers.images)]

    def _rules(self, rule: str) -> None:
        (self.folder / "rules").mkdir(exist_ok=True)
        (self.folder / "rules" / "in.yml").write_text(RULES.replace(BEFORE, rule), "utf-8")

    def _put(self, keys: list[str], data: bytes) -> None:
        client = new_client(proxies={"http": self.url})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: client.put_object(Bucket=self.bucket, Key="/" + key, Body=data), keys))

    def _width(self, key: str) -> int:
        client = new_client(proxies={"http": self.url})
        head = client.get_object(Bucket=self.bucket, Key=f"/out/{key}.t.png")["Body"].get_raw_stream().read(24)
        (width,) = struct.unpack(">I", head[16:20])
        return int(width)

    def _requests(self) -> int:
        """Processing calls so far, as coslocal counts them."""
        with urllib.request.urlopen(f"{self.url}/_coslocal/journal?last=0") as answer:
            return int(json.load(answer)["counts"].get("image_process", 0))

    def _journalled(self) -> int:
        """Sources that the journal of the run has."""
        return sum(path.read_bytes().count(b"\n") - 1 for path in self.folder.glob("*.journal"))

    @property
    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
            "DERIVO_COS_SCHEME": "http",
            "DERIVO_COS_PROXY": self.url,
            "TENCENTCLOUD_SECRETID": SECRET_ID,
            "TENCENTCLOUD_SECRETKEY": SECRET_KEY,
            "TENCENTCLOUD_REGION": REGION,
        }


_DERIVO = (sys.executable, "-c", "from derivo_cli.main import main; main()")


def main() -> None:
    """The whole of it against a `coslocal serve`; SCENARIO_IMAGES is another number of images."""
    numbers = Numbers(images=int(os.environ.get("SCENARIO_IMAGES", Numbers.images)))
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - started:6.1f} s  {text}\n")
        sys.stdout.flush()

    with (
        tempfile.TemporaryDirectory(prefix="derivo-scenario-") as folder,
        servers.coslocal(Path(folder)) as server,
    ):
        say(f"coslocal serves {server.url}; {numbers.images} images")
        Scenario(server.url, BUCKET, Path(folder), numbers, say).run()
    say("as it should be")


if __name__ == "__main__":
    main()
