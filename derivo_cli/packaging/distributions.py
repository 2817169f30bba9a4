"""A file of the package registry -> what of it runs, its licence texts, what it says of itself. Nothing is executed."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from derivo_cli.exits import FINDINGS, Stop
from derivo_cli.packaging.licences import licence
from derivo_cli.packaging.requirements import normalized

_PURE = {"crcmod": "python3/"}
"""Of these there is only a source distribution. The folder of it that holds Python, which does without the rest."""

_NOT_RUN = {
    "cos-python-sdk-v5": ("qcloud_cos/crypto.py", "qcloud_cos/cos_encryption_client.py"),  # need pycryptodome
    "crcmod": ("crcmod/test.py",),
}
_NEVER_RUN = ("*.pyi", "*.pyc", "py.typed", "tests", "test", "__pycache__")
_LICENCE = ("licen[cs]e*", "copying*", "notice*")

Files = Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One package. `files` and `licences` are path -> content; `sha256` is that of the file it came in."""

    name: str
    version: str
    sha256: str
    licence: str
    files: Files = field(repr=False)
    licences: Files = field(repr=False)


def read(archive: Path) -> Distribution:
    """Raises Stop for a file that cannot be taken as it is."""
    try:
        told, code, info = _wheel(archive) if archive.suffix == ".whl" else _source_distribution(archive)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise Stop(f"{archive.name} cannot be used: {error}", FINDINGS) from None
    name = normalized(str(told["Name"]))
    left_out = _NOT_RUN.get(name, ())
    return Distribution(
        name=name,
        version=str(told["Version"]),
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        licence=licence(told),
        files={path: data for path, data in code.items() if path not in left_out and runs(path)},
        licences={PurePosixPath(path).name: data for path, data in info.items() if _is_licence(path)},
    )


def runs(path: str) -> bool:
    """Whether a file may be needed at run time: no test, no type stub, no byte code of another machine."""
    return not any(fnmatchcase(part, pattern) for part in path.split("/") for pattern in _NEVER_RUN)


def _is_licence(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return any(fnmatchcase(name, pattern) for pattern in _LICENCE)


def _wheel(archive: Path) -> tuple[Message, Files, Files]:
    """Metadata, what would be installed, what tells about it. Scripts and data files are not for a function."""
    with zipfile.ZipFile(archive) as opened:
        content = {path: opened.read(path) for path in opened.namelist() if not path.endswith("/")}
    top = next((path.split("/")[0] for path in content if path.endswith(".dist-info/METADATA")), None)
    if top is None:
        raise ValueError("it holds no metadata")
    code = {path: data for path, data in content.items() if not path.split("/")[0].endswith((".dist-info", ".data"))}
    if any(".data/purelib/" in path or ".data/platlib/" in path for path in content):
        raise ValueError("it keeps code in a .data folder, which is not known here")
    return _metadata(content[f"{top}/METADATA"]), code, {p: data for p, data in content.items() if p.startswith(top)}


def _source_distribution(archive: Path) -> tuple[Message, Files, Files]:
    name = normalized(archive.name.removesuffix(".tar.gz").rpartition("-")[0])
    if name not in _PURE:
        raise ValueError("a source distribution would have to be built; pin a wheel")
    with tarfile.open(archive) as opened:
        members = {member.name.partition("/")[2]: opened.extractfile(member) for member in opened if member.isfile()}
        content = {path: stream.read() for path, stream in members.items() if stream is not None}
    pure = _PURE[name]
    inside = {path.removeprefix(pure): data for path, data in content.items() if path.startswith(f"{pure}{name}/")}
    return _metadata(content["PKG-INFO"]), inside, {path: data for path, data in content.items() if "/" not in path}


def _metadata(content: bytes) -> Message:
    return BytesParser().parsebytes(content, headersonly=True)
