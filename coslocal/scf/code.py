"""A function's code: a zip, and the read-only folder that it is unpacked to."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from derivo.ci import limits

_CHUNK = 1024 * 1024


class CodeError(ValueError):
    """A zip that the platform would not take, or could not run."""


@dataclass(frozen=True)
class Code:
    """Where the code lies, unpacked; the SHA-256 of its zip, in hex; and the bytes of the zip."""

    root: Path
    sha256: str
    size: int


def check(data: bytes) -> None:
    """Raises CodeError unless this can be opened as a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise CodeError(f"this is no zip file: {error}") from None


def unpack(data: bytes, parent: Path) -> Code:
    """The code in a folder of its own below `parent`; the same zip twice is one folder. Raises CodeError for what does
    not fit (SCF 2.6), cannot be read, or would lie outside of the folder."""
    sha256 = hashlib.sha256(data).hexdigest()
    code = Code(parent / sha256[:32], sha256, len(data))
    if code.root.exists():
        return code
    part = parent / f"{sha256[:32]}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _extract(archive, part)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise CodeError(f"the zip cannot be unpacked: {error}") from None
    for path in part.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)  # only /tmp can be written to (SCF 2.5)
    part.chmod(0o555)
    part.rename(code.root)
    return code


def _extract(archive: zipfile.ZipFile, folder: Path) -> None:
    left = limits.CODE_BYTES
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise CodeError(f"{entry.filename[:100]!r} would lie outside of the function's folder")
        target = folder.joinpath(*path.parts)
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("wb") as file:
            while chunk := source.read(_CHUNK):  # as much as there is, whatever the entry says of itself
                left -= len(chunk)
                if left < 0:
                    raise CodeError(f"it unpacks to more than {limits.CODE_BYTES} bytes")
                file.write(chunk)
