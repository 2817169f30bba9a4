"""The tables of the index, and what their rows stand for. Keys are stored as their UTF-8 bytes."""

from __future__ import annotations

import json
from typing import Any

from coslocal.storage.types import Part, StoredObject, Upload

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets(name), key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified REAL NOT NULL, headers TEXT NOT NULL, storage_class TEXT NOT NULL,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    whole TEXT NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (whole, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets(name), key BLOB NOT NULL, started REAL NOT NULL,
    headers TEXT NOT NULL, storage_class TEXT NOT NULL, configurations TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL REFERENCES uploads(upload_id) ON DELETE CASCADE, number INTEGER NOT NULL,
    blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified REAL NOT NULL,
    PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS configurations (
    bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE, key BLOB NOT NULL, name TEXT NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (bucket, key, name)) WITHOUT ROWID;
"""
OBJECT = "bucket, key, blob, size, etag, crc64, modified, headers, storage_class"
UPLOAD = "upload_id, bucket, key, started, headers, storage_class, configurations"
PART = "number, blob, size, etag, crc64, modified"


def as_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def as_text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def as_object(row: tuple[Any, ...]) -> StoredObject:
    bucket, key, blob, size, etag, crc64, modified, headers, storage_class = row
    return StoredObject(
        bucket=bucket, key=as_text(key), blob=blob, size=size, etag=etag, crc64=crc64, modified=modified,
        headers=json.loads(headers), storage_class=storage_class,
    )  # fmt: skip


def as_upload(row: tuple[Any, ...]) -> Upload:
    upload_id, bucket, key, started, headers, storage_class, configurations = row
    return Upload(
        upload_id=upload_id, bucket=bucket, key=as_text(key), started=started, headers=json.loads(headers),
        storage_class=storage_class, configurations=json.loads(configurations),
    )  # fmt: skip


def as_part(row: tuple[Any, ...]) -> Part:
    number, blob, size, etag, crc64, modified = row
    return Part(number=number, blob=blob, size=size, etag=etag, crc64=crc64, modified=modified)
