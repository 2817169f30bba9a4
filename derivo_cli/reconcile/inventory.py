"""A COS inventory instead of a live listing: CSV.gz, columns as fileSchema says, keys percent-encoded (SCF 8.7).

A checksum, a schema or a row that is wrong ends the plan: half an inventory would make what stands look missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from derivo.cos import Cos, CosFailure
from derivo_cli.exits import FINDINGS, Stop
from derivo_cli.reconcile.provenance import quoted
from derivo_cli.reconcile.store import Store
from derivo_cli.url import CosUrl, parse

_SECONDS = 600.0
_MOST_BYTES = 256 << 20
_NEEDED = ("key", "size", "lastmodifieddate", "etag")


class DataFile(msgspec.Struct, frozen=True, rename="camel"):
    """`size` in bytes."""

    key: str
    size: int | str
    md5_checksum: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """manifest.json, as far as it is needed."""

    source_bucket: str
    file_format: str
    file_schema: str
    files: tuple[DataFile, ...]
    source_appid: str | int = ""


class Inventory:
    """An inventory on disk or in a bucket. Raises Stop for one that cannot be read."""

    def __init__(self, place: str, client: Cos, region: str) -> None:
        self.place = place
        self._client = client
        self._region = region
        self._url: CosUrl | None = parse(place) if place.startswith("cos://") else None
        try:
            self.manifest = msgspec.json.decode(self._manifest(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise Stop(f"{place} is no manifest.json of a COS inventory: {error}") from None
        if self.manifest.file_format.upper() != "CSV":
            raise Stop(f"{place}: its files are {self.manifest.file_format}; only CSV inventories can be read")
        self._columns = [name.strip().lower() for name in self.manifest.file_schema.split(",")]
        missing = [name for name in _NEEDED if name not in self._columns]
        if missing or len(set(self._columns)) < len(self._columns):
            what = f"has no {', '.join(missing)}" if missing else "names a column twice"
            raise Stop(f"{place}: its fileSchema {what}; set the inventory up with Size, LastModifiedDate and ETag")

    @property
    def bucket(self) -> str:
        """The bucket that was listed, `<name>-<appid>`."""
        name, appid = self.manifest.source_bucket, str(self.manifest.source_appid)
        return name if not appid or name.endswith("-" + appid) else f"{name}-{appid}"

    def load(self, store: Store, number: int, prefixes: Sequence[str], folder: Path) -> None:
        """Append the objects under the prefixes to the store, as those of that bucket; `folder` takes what is fetched.

        How a space is written is not documented. Where `%20` is seen a plus is a plus; where it is not, a plus is a
        space, as forms write it."""
        paths = [self._fetched(file, folder) for file in self.manifest.files]
        if not paths:
            return
        self._read_all(store, paths, number, prefixes, "key")
        plus, space = store.one(
            "SELECT bool_or(plus), bool_or(contains(key, ' ')) FROM objects WHERE bucket = ?", [number]
        )
        if plus and not space:
            store.run("DELETE FROM objects WHERE bucket = ?", [number])
            self._read_all(store, paths, number, prefixes, "replace(key, '+', ' ')")
        if store.one("SELECT count(*) FROM objects WHERE bucket = ? AND modified IS NULL", [number])[0]:
            raise Stop(f"{self.place}: a LastModifiedDate is no time")

    def _read_all(self, store: Store, paths: Sequence[Path], number: int, prefixes: Sequence[str], raw: str) -> None:
        columns = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in self._columns)
        decoded = f"CASE WHEN contains(key, '%') THEN url_decode({raw}) ELSE {raw} END"
        places = " OR ".join(f"starts_with(name, {quoted(prefix)})" for prefix in prefixes) or "false"
        # of a bucket with versions only what stands now
        current = [
            f"lower({column}) = '{value}'"
            for column, value in (("islatest", "true"), ("isdeletemarker", "false"))
            if column in self._columns
        ]
        files = ", ".join(quoted(str(path)) for path in paths)
        try:
            store.run(
                f"""INSERT INTO objects
                SELECT {number}, name, size::UBIGINT, trim(etag, '"'), try_cast(lastmodifieddate AS TIMESTAMP), plus
                FROM (SELECT *, {decoded} AS name, contains(key, '+') AS plus FROM read_csv([{files}],
                    columns = {{{columns}}}, header = false, auto_detect = false, compression = 'gzip',
                    delim = ',', quote = '"', escape = '"', strict_mode = true))
                WHERE {" AND ".join([f"({places})", *current])}"""
            )
        except Exception as error:
            reason = str(error).partition("\n")[0][:300]
            raise Stop(f"{self.place}: its files cannot be read as its schema says: {reason}") from None

    def _manifest(self) -> bytes:
        if self._url is None:
            try:
                return Path(self.place).read_bytes()
            except OSError as error:
                raise Stop(f"{self.place}: {error.strerror}") from None
        data = self._got(self._url.key)
        if data is None:
            raise Stop(f"there is no {self.place}")
        return data

    def _got(self, key: str) -> bytes | None:
        assert self._url is not None
        try:
            return self._client.get(
                bucket=self._url.bucket, region=self._region, key=key, timeout=_SECONDS, limit=_MOST_BYTES
            )
        except CosFailure as failure:
            raise Stop(f"cos://{self._url.bucket}/{key}: {failure}", FINDINGS) from None

    def _fetched(self, file: DataFile, folder: Path) -> Path:
        """The file on disk, its checksum verified. Of a local inventory it lies beside the manifest."""
        path = Path(self.place).parent / Path(file.key).name
        if self._url is not None:
            data = self._got(file.key)
            if data is None:
                raise Stop(f"{self.place}: there is no {file.key}, or it is larger than {_MOST_BYTES >> 20} MiB")
            path = folder / f"{hashlib.sha256(file.key.encode()).hexdigest()[:16]}.csv.gz"
            path.write_bytes(data)
        try:
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        except OSError as error:
            raise Stop(f"{path}: {error.strerror}") from None
        if digest != file.md5_checksum.lower():
            raise Stop(f"{self.place}: {file.key} has another checksum than the manifest says; fetch it again")
        return path
