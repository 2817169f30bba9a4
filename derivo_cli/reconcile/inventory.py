"""A COS inventory instead of a live listing: CSV.gz, columns as fileSchema says, keys percent-encoded (SCF 8.7).

A checksum, a schema or a row that is wrong ends the plan: half an inventory would make what stands look missing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from derivo.cos import Cos, CosFailure
from derivo_cli.exits import FINDINGS, Stop
from derivo_cli.reconcile.provenance import quoted
from derivo_cli.reconcile.store import THREADS, Store
from derivo_cli.url import CosUrl, parse

_SECONDS = 60.0
_MANIFEST_BYTES = 64 << 20
# Of more than two files for each thread DuckDB reads each in one piece, and passes over a last row that is cut short.
_AT_ONCE = 2 * THREADS
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
    list_object_count: int | str | None = None
    filter_object_count: int | str | None = None


class Inventory:
    """An inventory on disk or in a bucket. Raises Stop for one that cannot be read."""

    def __init__(self, place: str, client: Cos, region: str) -> None:
        self.place = place
        self._client = client
        self._region = region
        self._url: CosUrl | None = parse(place) if place.startswith("cos://") else None
        self.notices: list[str] = []
        data = self._whole(place)
        if data is None:
            raise Stop(f"there is no {place}; name the manifest.json of an inventory, a file or cos://")
        self._verify(data)
        try:
            self.manifest = msgspec.json.decode(data, type=Manifest)
        except msgspec.MsgspecError as error:
            raise Stop(f"{place} is no manifest.json of a COS inventory: {error}") from None
        if self.manifest.file_format.upper() != "CSV":
            raise Stop(f"{place}: its files are {self.manifest.file_format}; only CSV inventories can be read")
        self._columns = [name.strip().lower() for name in self.manifest.file_schema.split(",")]
        missing = [name for name in _NEEDED if name not in self._columns]
        if missing or len(set(self._columns)) < len(self._columns):
            what = f"has no {', '.join(missing)}" if missing else "names a column twice"
            raise Stop(f"{place}: its fileSchema {what}; set the inventory up with Size, LastModifiedDate and ETag")
        held, all_there = self.manifest.filter_object_count, self.manifest.list_object_count
        if None not in (held, all_there) and str(held) != str(all_there):
            self.notices.append(
                f"{place} has a filter and holds {held} of {all_there} objects: what it leaves out counts as missing"
            )

    @property
    def bucket(self) -> str:
        """The bucket that was listed, `<name>-<appid>`."""
        name, appid = self.manifest.source_bucket, str(self.manifest.source_appid)
        return name if not appid or name.endswith("-" + appid) else f"{name}-{appid}"

    def load(self, store: Store, number: int, prefixes: Sequence[str], folder: Path) -> None:
        """Append the objects under the prefixes to the store, as those of that bucket. `folder` takes what is fetched,
        some files at a time, and the next of them while these are read."""
        files = self.manifest.files
        groups = [files[at : at + _AT_ONCE] for at in range(0, len(files), _AT_ONCE)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            coming: Iterator[Path] = iter(())
            for at in range(len(groups) + 1):
                paths = list(coming)
                if at < len(groups):
                    coming = pool.map(lambda file: self._verified(file, folder), groups[at])
                if paths:
                    self._read(store, paths, number, prefixes)
                for path in paths:
                    if path.parent == folder:
                        path.unlink()
        if store.one("SELECT count(*) FROM objects WHERE bucket = ? AND modified IS NULL", [number])[0]:
            raise Stop(f"{self.place}: a LastModifiedDate is no time; have the inventory made again")
        _settle_spaces(store, number, prefixes)

    def _read(self, store: Store, paths: Sequence[Path], number: int, prefixes: Sequence[str]) -> None:
        columns = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in self._columns)
        # of a bucket with versions only what stands now
        current = " AND ".join(
            f"lower({column}) = '{value}'"
            for column, value in (("islatest", "true"), ("isdeletemarker", "false"))
            if column in self._columns
        )
        files = ", ".join(quoted(str(path)) for path in paths)
        short = " OR ".join(f"{column} IS NULL" for column in _NEEDED)
        name = (
            f"CASE WHEN NOT ({current or 'true'}) THEN NULL WHEN {short} THEN error('a row is cut short')"
            f" ELSE {_decoded('key')} END"
        )
        try:
            store.run(
                f"""INSERT INTO objects
                SELECT {number}, name, size::UBIGINT, trim(etag, '"'), try_cast(lastmodifieddate AS TIMESTAMP), raw
                FROM (SELECT *, {name} AS name, CASE WHEN contains(key, '+') THEN key END AS raw
                    FROM read_csv([{files}], columns = {{{columns}}}, header = false, auto_detect = false,
                    compression = 'gzip', delim = ',', quote = '"', escape = '"', strict_mode = true))
                WHERE name IS NOT NULL
                AND ({_under("name", prefixes)} OR (raw IS NOT NULL AND ({_under(_FORM, prefixes)})))"""
            )
        except Exception as error:
            reason = str(error).partition("\n")[0][:300]
            among = ", ".join(path.name for path in paths)
            raise Stop(f"{self.place}: its files cannot be read as its schema says ({among}): {reason}") from None

    def _verify(self, manifest: bytes) -> None:
        """Hold the manifest against the manifest.checksum beside it, where there is one. It is a digest, in
        hexadecimal digits or base64: which is not documented."""
        place = self.place.removesuffix(".json") + ".checksum"
        told = self._whole(place) if place != self.place + ".checksum" else None
        if told is None:
            self.notices.append(f"there is no {place}, so the manifest itself was not verified")
            return
        digest = hashlib.md5(manifest, usedforsecurity=False).digest()
        if told.strip().lower() != digest.hex().encode() and told.strip() != base64.b64encode(digest):
            raise Stop(f"{self.place} is not the one that {place} is of; fetch both again")

    def _whole(self, place: str) -> bytes | None:
        """A small file of the inventory; None where there is none."""
        if self._url is None:
            try:
                return Path(place).read_bytes()
            except FileNotFoundError:
                return None
            except OSError as error:
                raise Stop(f"{place}: {error.strerror}") from None
        url = parse(place)
        try:
            return self._client.get(
                bucket=url.bucket, region=self._region, key=url.key, timeout=_SECONDS, limit=_MANIFEST_BYTES
            )
        except CosFailure as failure:
            raise Stop(f"{place}: {failure}", FINDINGS) from None

    def _verified(self, file: DataFile, folder: Path) -> Path:
        """The file on disk, its checksum verified. Of a local inventory it lies beside the manifest."""
        digest = hashlib.md5(usedforsecurity=False)
        path = Path(self.place).parent / Path(file.key).name
        if self._url is not None:
            path = folder / f"{hashlib.sha256(file.key.encode()).hexdigest()[:16]}.csv.gz"
        try:
            if self._url is not None:
                with path.open("wb") as draft:
                    for piece in self._pieces(self._url.bucket, file.key):
                        digest.update(piece)
                        draft.write(piece)
            else:
                with path.open("rb") as opened:
                    while piece := opened.read(1 << 20):
                        digest.update(piece)
        except FileNotFoundError:
            raise Stop(f"{self.place} names {file.key}, and there is no {path}; fetch it beside the manifest") from None
        except OSError as error:
            raise Stop(f"{path}: {error.strerror}") from None
        if digest.hexdigest() != file.md5_checksum.lower():
            raise Stop(f"{self.place}: {file.key} has another checksum than the manifest says; fetch it again")
        return path

    def _pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        try:
            found = self._client.pieces(bucket=bucket, region=self._region, key=key, timeout=_SECONDS)
            if found is None:
                raise Stop(f"{self.place} names {key}, and it is not in {bucket}; have the inventory made again")
            yield from found
        except CosFailure as failure:
            raise Stop(f"cos://{bucket}/{key}: {failure}", FINDINGS) from None


def _decoded(key: str) -> str:
    return f"CASE WHEN contains({key}, '%') THEN url_decode({key}) ELSE {key} END"


# a key as a form would have written it
_FORM = _decoded("replace(raw, '+', ' ')")


def _under(key: str, prefixes: Sequence[str]) -> str:
    return " OR ".join(f"starts_with({key}, {quoted(prefix)})" for prefix in prefixes) or "false"


def _settle_spaces(store: Store, number: int, prefixes: Sequence[str]) -> None:
    """How a space is written is not documented. Where `%20` is seen a plus is a plus; where it is not, a plus is a
    space, as forms write it."""
    plain = f"bucket <> {number} OR raw IS NULL"
    if not store.one(f"SELECT count(*) FROM objects WHERE NOT ({plain})")[0]:
        return
    spaces = store.one(f"SELECT bool_or(contains(key, ' ')) FROM objects WHERE bucket = {number}")[0]
    meant = "key" if spaces else _FORM
    store.run("ALTER TABLE objects RENAME TO written")
    store.run(
        f"""CREATE TABLE objects AS FROM (
            SELECT * REPLACE (CASE WHEN {plain} THEN key ELSE {meant} END AS key) FROM written
        ) WHERE {plain} OR ({_under("key", prefixes)})"""
    )
    store.run("DROP TABLE written")
