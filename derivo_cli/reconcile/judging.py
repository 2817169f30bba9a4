"""Desired against actual: which derivative is missing, stale or as it should be. One join in the store.

A manifest decides where it names the object: source ETag and spec. Elsewhere Last-Modified decides: a derivative older
than its source, or than the time from which its rule has been in force, is stale; of the same second it is not, since a
function is done within the second that the upload was made in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derivo_cli.reconcile.store import Store

CREATE, STALE_SOURCE, STALE_SPEC, BLOCKED, UP_TO_DATE = "create", "stale-source", "stale-spec", "blocked", "up-to-date"
ORPHAN, UNKNOWN = "orphan", "unknown"
CLASSES = (CREATE, STALE_SOURCE, STALE_SPEC, BLOCKED, ORPHAN, UNKNOWN, UP_TO_DATE)
TO_MAKE = (CREATE, STALE_SOURCE, STALE_SPEC)

# why -> what it says
REASONS: Mapping[str, str] = {
    "missing": "nothing stands there",
    "unreadable": "what stands where the manifest belongs is none",
    "manifest": "the manifest says so",
    "altered": "the object is not the one that the manifest names",
    "time": "by time: no manifest tells more",
    "spec": "the key holds the digest of a rule of ours",
    "no_provenance": "nothing proves that it is ours",
    "new": "no rule of before makes it",
    "rule": "another rule makes it",
    "dropped": "no rule makes it any more",
    "together": "as it should be, and made again with the others of its manifest",
}


def judge(store: Store, *, manifests: bool, outputs: str, among: str) -> int:
    """Fill `work` with all that differs, and `unwanted` with what is `among` the outputs and not wanted. `manifests`
    tells whether they were read; `outputs` and `among` are SQL over an object `o`. Returns how many derivatives stand
    and are vouched for by a manifest."""
    vouched = bool(store.one("SELECT count(*) FROM made WHERE standing")[0])
    said = {
        "source_etags": _trusted_sources(store) if vouched else "false",
        "etags": _trusted_etags(store) if vouched else "false",
        "unreadable": "NOT exists (FROM manifests t WHERE t.standing AND t.key = w.key AND t.source = w.source)"
        if manifests
        else "false",
        "outputs": outputs,
        "among": among,
    }
    parts = []
    for part in store.passes():
        mine = part("key")
        made = (_MADE if vouched else _NO_MADE).format(mine=mine)
        parts.append(_JUDGED.format(made=made, mine=mine, **said))
    differ(store, parts)
    for part in store.passes("differing"):
        store.run(_WORK.format(mine=part("key")))
        store.run(_UNWANTED.format(mine=part("key")))
    store.run("DROP TABLE differing")
    add_together(store)
    if not vouched:
        return 0
    return sum(int(store.one(_VOUCHED.format(mine=part("key")))[0]) for part in store.passes())


def differ(store: Store, judged: Sequence[str]) -> None:
    """Fill a table `differing` with what these queries, which tell a `verdict`, do not find up to date."""
    for at, query in enumerate(judged):
        verb = "INSERT INTO differing" if at else "CREATE TABLE differing AS"
        store.run(f"{verb} FROM ({query}) WHERE verdict IS NOT NULL")


_MADE = """LEFT JOIN (FROM made WHERE standing AND {mine}) m ON m.source = w.source AND m.rule_set = i.rule_set
    AND m.bucket = w.bucket AND m.key = w.key"""
_NO_MADE = "CROSS JOIN (SELECT NULL::VARCHAR AS source, '' AS source_etag, '' AS etag, NULL::VARCHAR AS spec) m"

_VOUCHED = f"""
SELECT count(*) FROM (FROM wanted WHERE {{mine}}) w
JOIN (FROM objects WHERE {{mine}}) o ON o.bucket = w.bucket AND o.key = w.key
JOIN items i ON i.item = w.item {_MADE} WHERE i.derivative AND w.blocked IS NULL AND m.source IS NOT NULL
"""

# NULL is up to date. The join carries what the verdict needs and no more: its rows are what is spilled; the few that
# differ are looked up afterwards.
_JUDGED = """
SELECT coalesce(w.bucket, o.bucket) AS bucket, coalesce(w.key, o.key) AS key, w.source, w.item, m.spec AS made_spec,
    CASE
    WHEN w.source IS NULL THEN CASE WHEN {among} THEN 'unwanted' END
    WHEN w.blocked IS NOT NULL THEN 'blocked ' || w.blocked
    WHEN o.key IS NULL THEN 'create missing'
    WHEN NOT i.derivative THEN CASE WHEN {unreadable} THEN 'create unreadable' END
    WHEN m.source IS NULL THEN CASE
        WHEN o.modified < w.modified THEN 'stale-source time'
        WHEN o.modified < i.since THEN 'stale-spec time'
        END
    WHEN {etags} AND m.etag <> '' AND m.etag <> o.etag THEN 'stale-source altered'
    WHEN {source_etags} AND m.source_etag <> '' THEN CASE
        WHEN m.source_etag <> w.etag THEN 'stale-source manifest'
        WHEN m.spec <> i.spec THEN 'stale-spec manifest'
        END
    WHEN o.modified < w.modified THEN 'stale-source time'
    WHEN m.spec <> i.spec THEN 'stale-spec manifest'
    END AS verdict
FROM (FROM wanted WHERE {mine}) w
FULL JOIN (FROM objects o WHERE {mine} AND ({outputs})) o ON o.bucket = w.bucket AND o.key = w.key
LEFT JOIN items i ON i.item = w.item
{made}
"""

# where time was the judge, the rule that was in force then is the old one
_WORK = """
INSERT INTO work
SELECT split_part(verdict, ' ', 1), split_part(verdict, ' ', 2), i.rule_set, i.name, d.bucket, d.key, o.etag, d.source,
    s.size, s.etag, i.spec, coalesce(e.spec, d.made_spec), d.item, o.modified
FROM (FROM differing WHERE {mine}) d JOIN items i ON i.item = d.item JOIN objects s ON s.bucket = 0 AND s.key = d.source
LEFT JOIN (FROM objects WHERE {mine}) o ON o.bucket = d.bucket AND o.key = d.key
LEFT JOIN (
    SELECT *, lead(since, 1, TIMESTAMP 'infinity') OVER (PARTITION BY item ORDER BY since) AS until FROM epochs
) e ON verdict = 'stale-spec time' AND e.item = d.item AND e.since <= o.modified AND o.modified < e.until
WHERE verdict <> 'unwanted'
"""

_UNWANTED = """
INSERT INTO unwanted SELECT o.bucket, o.key, o.etag, o.size
FROM (FROM differing WHERE {mine}) d JOIN (FROM objects WHERE {mine}) o ON o.bucket = d.bucket AND o.key = d.key
WHERE verdict = 'unwanted'
"""

# a manifest is written of what one run has made: all derivatives of its rule set, or it would forget some
_TOGETHER = """
INSERT INTO work
SELECT 'up-to-date', 'together', i.rule_set, i.name, w.bucket, w.key, o.etag, w.source, w.size, w.etag, i.spec, NULL,
    w.item, o.modified
FROM (
    SELECT DISTINCT source, rule_set FROM work WHERE {mine} AND class IN ('create', 'stale-source', 'stale-spec')
) t
JOIN items i ON i.rule_set = t.rule_set AND i.with_manifest AND i.derivative
JOIN (FROM wanted WHERE {mine}) w ON w.source = t.source AND w.item = i.item AND w.blocked IS NULL
LEFT JOIN objects o ON o.bucket = w.bucket AND o.key = w.key
WHERE NOT EXISTS (FROM work k WHERE k.source = w.source AND k.item = w.item)
"""


def add_together(store: Store) -> None:
    """Add the rows of what is made again with the others of its manifest."""
    if store.one("SELECT count(*) FROM items WHERE with_manifest")[0]:
        for part in store.passes():
            store.run(_TOGETHER.format(mine=part("source")))


def _trusted_sources(store: Store) -> str:
    """SQL that tells whether a manifest's source ETag can be compared with the listing's.

    By some of the vendor's samples CI reports another ETag for the source than its own (CI 1.5). Where not one manifest
    that is newer than its source agrees with it, the answers are taken to be of that kind. Objects uploaded in parts
    have ETags of their own form, and are judged apart."""
    found = store.rows(
        """SELECT contains(s.etag, '-'), bool_or(t.source_etag = s.etag)
        FROM manifests t JOIN objects s ON s.bucket = 0 AND s.key = t.source
        WHERE t.standing AND t.modified > s.modified GROUP BY 1"""
    )
    lying = [parts for parts, agrees in found if not agrees]
    if len(lying) == 2:
        return "false"
    return f"(contains(w.etag, '-') <> {str(lying[0]).lower()})" if lying else "true"


def _trusted_etags(store: Store) -> str:
    """SQL that tells whether a derivative's ETag in a manifest can be compared with the listing's; the same doubt."""
    agrees = store.one(
        "SELECT bool_or(m.etag = o.etag) FROM made m JOIN objects o ON o.bucket = m.bucket AND o.key = m.key"
        " WHERE m.standing AND m.etag <> ''"
    )[0]
    return "true" if agrees else "false"
