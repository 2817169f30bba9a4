"""coscmd, the vendor's command line, one process a command, as a person would type them."""

from __future__ import annotations

import functools
import hashlib
import random
import re
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.results import Result, attempt, checks_of, title
from tests.conformance.target import APPID, Target
from tests.conformance.workshop import Workshop

NAME = "coscmd"
BUCKET = f"coscmd-{APPID}"
BIG = 40_000_000
ODD = "中 文+&%41.txt"


@dataclass
class Shell:
    """Runs coscmd in `room`, configured for the bucket."""

    program: Path
    room: Path
    target: Target

    def __call__(self, *words: str, code: int = 0) -> str:
        """What the command printed. AssertionError when it ended with another code."""
        command = [str(self.program), "-c", "cos.conf", "-l", "cos.log", *words]
        environment = self.target.environment()
        done = subprocess.run(
            command, cwd=self.room, env=environment, check=False, capture_output=True, text=True, errors="replace"
        )
        assert done.returncode == code, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def source(self, key: str) -> str:
        return f"{self.target.host(BUCKET)}/{key}"

    def same(self, one: str, other: str) -> bool:
        return _digest(self.room / one) == _digest(self.room / other)


def prepare(workshop: Workshop) -> str:
    return workshop.version_of("coscmd")


def run(workshop: Workshop, target: Target) -> list[Result]:
    room = workshop.room("coscmd")
    (room / "tree" / "sub").mkdir(parents=True)
    (room / "tree" / "a.txt").write_text("a")
    (room / "tree" / "sub" / ODD).write_text("odd")
    (room / "big").write_bytes(random.Random(1).randbytes(BIG))
    shell = Shell(workshop.python().with_name("coscmd"), room, target)
    checks = checks_of([sys.modules[__name__]])
    return [attempt(title(check), functools.partial(check, shell)) for check in checks]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_a_bucket_is_configured_and_made(shell: Shell) -> None:
    shell(
        "config", "-a", shell.target.secret_id, "-s", shell.target.secret_key, "-b", BUCKET,
        "-r", shell.target.region, "--do-not-use-ssl", "--retry", "1",
    )  # fmt: skip
    with (shell.room / "cos.conf").open("a") as conf:
        conf.write("multiupload_threshold = 20\nmultidownload_threshold = 20\n")
    shell("createbucket")


def check_a_file_goes_up_and_comes_back(shell: Shell) -> None:
    shell("upload", "tree/a.txt", "one/a.txt")
    shell("download", "one/a.txt", "one.down")
    assert shell.same("tree/a.txt", "one.down")


def check_a_folder_goes_up_and_comes_back(shell: Shell) -> None:
    assert "2 files uploaded" in shell("upload", "-r", "tree/", "folder/")
    listed = shell("list", "-r", "-a", "folder/")
    assert "folder/a.txt" in listed and f"folder/sub/{ODD}" in listed and "Files num: 2" in listed, listed
    shell("download", "-r", "folder/", "folder.down")
    assert shell.same(f"tree/sub/{ODD}", f"folder.down/sub/{ODD}")


def check_an_unchanged_folder_is_not_sent_again(shell: Shell) -> None:
    shell("upload", "-r", "tree/", "sync/")
    assert "2 files skipped" in shell("upload", "-r", "-s", "tree/", "sync/")


def check_what_vanished_here_is_deleted_there(shell: Shell) -> None:
    shell("upload", "-r", "tree/", "mirror/")
    shell("upload", "tree/a.txt", "mirror/extra.txt")
    shell("upload", "-r", "-s", "-y", "--delete", "tree/", "mirror/")
    assert "extra" not in shell("list", "-r", "mirror/")


def check_a_listing_folds_folders(shell: Shell) -> None:
    shell("upload", "-r", "tree/", "fold/")
    listed = shell("list", "fold/")
    assert re.search(r"fold/sub/\s+DIR", listed) and "fold/a.txt" in listed and ODD not in listed, listed


def check_a_big_file_goes_up_in_parts(shell: Shell) -> None:
    shell("upload", "big", "big/file")
    assert re.search(rf'Content-Length\s+{BIG}\b[\s\S]*ETag\s+"[0-9a-f]{{32}}-\d+"', shell("info", "big/file"))


def check_a_big_file_comes_back_in_ranges(shell: Shell) -> None:
    shell("download", "big/file", "big.down")
    assert shell.same("big", "big.down")


def check_a_big_file_is_copied_in_the_cloud(shell: Shell) -> None:
    shell("copy", shell.source("big/file"), "big/copy")
    shell("download", "big/copy", "big.copy")
    assert shell.same("big", "big.copy")


def check_no_parts_are_left_over(shell: Shell) -> None:
    assert "Parts num: 0" in shell("listparts")
    shell("abort")


def check_a_signed_url_is_fetched(shell: Shell) -> None:
    found = re.search(r"http://[^\s']+", shell("signurl", "folder/a.txt", "-t", "100"))
    assert found
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": shell.target.url}))
    with opener.open(found[0]) as answer:
        assert answer.read() == b"a"


def check_objects_are_copied_and_moved(shell: Shell) -> None:
    shell("copy", shell.source("one/a.txt"), "two/a.txt")
    assert "2 files copied" in shell("copy", "-r", shell.source("folder/"), "second/")
    shell("move", shell.source("two/a.txt"), "three/a.txt")
    listed = shell("list", "-r", "-a", "")
    assert "three/a.txt" in listed and "two/a.txt" not in listed and f"second/sub/{ODD}" in listed, listed


def check_headers_are_kept(shell: Shell) -> None:
    shell("upload", "-H", '{"x-cos-meta-a": "b", "Content-Type": "x/y"}', "tree/a.txt", "headers")
    assert re.search(r"Content-Type\s+x/y\b[\s\S]*x-cos-meta-a\s+b\b", shell("info", "headers"))


def check_an_archived_object_is_restored(shell: Shell) -> None:
    shell("upload", "-H", '{"x-cos-storage-class": "ARCHIVE"}', "tree/a.txt", "cold/a.txt")
    assert "ARCHIVE" in shell("list", "cold/")
    shell("restore", "-d", "1", "-t", "Expedited", "cold/a.txt")
    assert "0 files failed" in shell("restore", "-r", "-d", "1", "cold/")


def check_acls_are_set_and_shown(shell: Shell) -> None:
    shell("putobjectacl", "--grant-read", "100000000002", "one/a.txt")
    assert re.search(r"100000000002: READ\b", shell("getobjectacl", "one/a.txt"))
    shell("putbucketacl", "--grant-write", "100000000003")
    assert re.search(r"100000000003: WRITE\b", shell("getbucketacl"))


def check_the_versioning_state_is_shown(shell: Shell) -> None:
    shell("putbucketversioning", "Suspended")
    assert "Suspended" in shell("getbucketversioning")


def check_versions_are_listed(shell: Shell) -> None:
    assert re.search(r"one/a\.txt\s+1\s+.*null", shell("list", "-r", "-v", "one/"))


def check_what_is_not_there_is_told(shell: Shell) -> None:
    shell("info", "no/such", code=255)
    shell("download", "no/such", "never", code=255)
    assert not (shell.room / "never").exists()


def check_objects_are_deleted(shell: Shell) -> None:
    shell("delete", "-f", "one/a.txt")
    shell("info", "one/a.txt", code=255)
    assert "2 files successful" in shell("delete", "-r", "-f", "folder/")
    assert "folder/" not in shell("list", "-r", "-a", "")


def check_the_probe_succeeds(shell: Shell) -> None:
    assert "[1/1]" in shell("probe", "-n", "1")


def check_a_bucket_is_emptied_and_deleted(shell: Shell) -> None:
    shell("deletebucket", code=255)
    shell("deletebucket", "-f")
    shell("list", code=255)
