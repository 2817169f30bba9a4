"""Buckets through the Python SDK: listings, and all that is configured on them."""

from __future__ import annotations

from typing import Any

from tests.conformance.python_sdk import Bench, on, refused, sdk


def check_buckets_come_and_go(bench: Bench) -> None:
    client, name = bench.client, f"second-{bench.bucket}"
    client.create_bucket(Bucket=name)
    refused(409, "BucketAlreadyOwnedByYou", client.create_bucket, Bucket=name)
    refused(400, "InvalidBucketName", client.create_bucket, Bucket="no-appid")
    assert client.head_bucket(Bucket=name)["x-cos-bucket-region"] == bench.target.region
    client.put_object(Bucket=name, Key="a", Body=b"")
    refused(409, "BucketNotEmpty", client.delete_bucket, Bucket=name)
    client.delete_object(Bucket=name, Key="a")
    client.delete_bucket(Bucket=name)
    refused(404, "NoSuchResource", client.head_bucket, Bucket=name)


def check_a_bucket_is_in_its_region(bench: Bench) -> None:
    assert on(bench, "get_bucket_location")()["LocationConstraint"] == bench.target.region
    elsewhere = sdk(bench.target, Region="ap-shanghai")
    name = f"sh-{bench.bucket}"
    elsewhere.create_bucket(Bucket=name)
    assert elsewhere.get_bucket_location(Bucket=name)["LocationConstraint"] == "ap-shanghai"
    refused(404, "NoSuchBucket", bench.client.list_objects, Bucket=name)
    listed = {item["Name"]: item["Location"] for item in bench.client.list_buckets()["Buckets"]["Bucket"]}
    assert (listed[name], listed[bench.bucket]) == ("ap-shanghai", bench.target.region)
    elsewhere.delete_bucket(Bucket=name)


def check_buckets_are_listed_by_region_tag_and_age(bench: Bench) -> None:
    tags = {"TagSet": {"Tag": [{"Key": "team", "Value": bench.bucket}]}}
    on(bench, "put_bucket_tagging")(Tagging=tags)

    def names(**more: Any) -> list[str]:
        found = bench.client.list_buckets(**more)["Buckets"]
        return [item["Name"] for item in found["Bucket"]] if found else []

    assert names(TagKey="team", TagValue=bench.bucket) == [bench.bucket]
    assert bench.bucket in names(Region=bench.target.region) and bench.bucket not in names(Region="ap-beijing")
    assert bench.bucket in names(CreateTime=1514736000, Range="gt") and names(CreateTime=1514736000, Range="lt") == []
    first = names(MaxKeys=1)
    assert len(first) == 1 and first[0] not in names(Marker=first[0])


def check_listings_fold_page_and_encode(bench: Bench) -> None:
    keys = sorted(["a/1", "a/2", "b", "c/d/e", "中 文/+&%", "z"], key=str.encode)
    for key in keys:
        bench.put(key)
    assert bench.keys() == keys
    folded = on(bench, "list_objects")(Delimiter="/")
    assert [item["Prefix"] for item in folded["CommonPrefixes"]] == ["a/", "c/", "中 文/"]
    assert [item["Key"] for item in folded["Contents"]] == ["b", "z"]
    assert bench.keys(Prefix="a/", Delimiter="/") == ["a/1", "a/2"]
    seen: list[str] = []
    marker = ""
    while True:
        page = on(bench, "list_objects")(Marker=marker, MaxKeys=2)
        seen += [item["Key"] for item in page["Contents"]]
        if page["IsTruncated"] == "false":
            break
        marker = page["NextMarker"]
    assert seen == keys
    plain = on(bench, "list_objects")(EncodingType="url", Prefix="中")
    assert plain["Contents"][0]["Key"] == "%E4%B8%AD%20%E6%96%87/%2B%26%25"


def check_versions_of_a_bucket_without_versioning(bench: Bench) -> None:
    etags = {key: bench.put(key, key.encode()) for key in ("a/1", "b", "中")}
    listed = on(bench, "list_objects_versions")()
    seen = [(item["Key"], item["VersionId"], item["IsLatest"], item["ETag"]) for item in listed["Version"]]
    assert seen == [(key, "null", "true", etag) for key, etag in etags.items()]
    folded = on(bench, "list_objects_versions")(Delimiter="/", MaxKeys=1)
    assert (folded["CommonPrefixes"][0]["Prefix"], folded["IsTruncated"]) == ("a/", "true")
    rest = on(bench, "list_objects_versions")(Delimiter="/", KeyMarker=folded["NextKeyMarker"])
    assert [item["Key"] for item in rest["Version"]] == ["b", "中"]
    assert bench.get("b", VersionId="null") == b"b"
    refused(404, "NoSuchVersion", bench.get, "b", VersionId="MTg0NDUxNTc1NTYyMzE0NTAwODg")
    gone = on(bench, "delete_objects")(Delete={"Object": [{"Key": "b", "VersionId": "null"}]})
    assert gone["Deleted"][0]["VersionId"] == "null"
    on(bench, "delete_object")(Key="中", VersionId="null")
    assert bench.keys() == ["a/1"]


def check_acls_are_given_back(bench: Bench) -> None:
    bench.put("a")
    for level, more in (("bucket", {}), ("object", {"Key": "a"})):
        put, get = f"put_{level}_acl", f"get_{level}_acl"
        on(bench, put)(ACL="public-read", **more)
        assert on(bench, get)(**more)["CannedACL"] == "public-read"
        on(bench, put)(ACL="private", **more)
        assert on(bench, get)(**more)["CannedACL"] == "private"
        uin = "qcs::cam::uin/100000000002:uin/100000000002"
        on(bench, put)(GrantRead=f'id="{uin}"', **more)
        grants = on(bench, get)(**more)["AccessControlList"]["Grant"]
        assert [(grant["Grantee"].get("ID"), grant["Permission"]) for grant in grants] == [(uin, "READ")]
        grantee = {"Type": "CanonicalUser", "ID": uin, "DisplayName": uin}
        policy = {
            "Owner": {"ID": uin, "DisplayName": uin},
            "AccessControlList": {"Grant": [{"Permission": "WRITE", "Grantee": grantee}]},
        }
        on(bench, put)(AccessControlPolicy=policy, **more)
        grants = on(bench, get)(**more)["AccessControlList"]["Grant"]
        assert [(grant["Grantee"]["ID"], grant["Permission"]) for grant in grants] == [(uin, "WRITE")]
    refused(400, "InvalidArgument", on(bench, "put_bucket_acl"), ACL="nonsense")


def _round_trip(bench: Bench, name: str, argument: str, document: Any, *, missing: str | None) -> dict[str, Any]:
    """PUT, GET, DELETE and GET again; what was given back. `missing` is the code when there is none."""
    on(bench, f"put_bucket_{name}")(**{argument: document})
    given: dict[str, Any] = on(bench, f"get_bucket_{name}")()
    on(bench, f"delete_bucket_{name}")()
    if missing:
        refused(404, missing, on(bench, f"get_bucket_{name}"))
    return given


def check_cors(bench: Bench) -> None:
    rule = {
        "ID": "1", "AllowedOrigin": ["http://a.com", "http://b.com"], "AllowedMethod": ["GET", "PUT"],
        "AllowedHeader": ["*"], "ExposeHeader": ["ETag"], "MaxAgeSeconds": 600,
    }  # fmt: skip
    given = _round_trip(bench, "cors", "CORSConfiguration", {"CORSRule": [rule]}, missing="NoSuchCORSConfiguration")
    assert given["CORSRule"][0]["AllowedOrigin"] == ["http://a.com", "http://b.com"]


def check_lifecycle(bench: Bench) -> None:
    rule = {"ID": "1", "Filter": {"Prefix": "a/"}, "Status": "Enabled", "Expiration": {"Days": 100}}
    missing = "NoSuchLifecycleConfiguration"
    given = _round_trip(bench, "lifecycle", "LifecycleConfiguration", {"Rule": [rule]}, missing=missing)
    assert given["Rule"][0]["Expiration"]["Days"] == "100"


def check_website(bench: Bench) -> None:
    rule = {"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}}
    document = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "e.html"}, "RoutingRules": [rule]}
    missing = "NoSuchWebsiteConfiguration"
    given = _round_trip(bench, "website", "WebsiteConfiguration", document, missing=missing)
    assert given["RoutingRules"][0]["Redirect"]["ReplaceKeyPrefixWith"] == "b/"


def check_policy(bench: Bench) -> None:
    statement = {"Effect": "allow", "Action": ["name/cos:*"], "Resource": ["*"], "Principal": {"qcs": ["*"]}}
    policy = {"version": "2.0", "Statement": [statement]}
    given = _round_trip(bench, "policy", "Policy", policy, missing="NoSuchBucketPolicy")
    assert '"name/cos:*"' in given["Policy"]
    refused(400, "MalformedPolicy", on(bench, "put_bucket_policy"), Policy="not json")


def check_tags_of_a_bucket(bench: Bench) -> None:
    tags = {"TagSet": {"Tag": [{"Key": "a", "Value": "b"}]}}
    given = _round_trip(bench, "tagging", "Tagging", tags, missing="NoSuchTagSet")
    assert given["TagSet"]["Tag"] == [{"Key": "a", "Value": "b"}]


def check_referers(bench: Bench) -> None:
    document = {"Status": "Enabled", "RefererType": "White-List", "DomainList": {"Domain": ["*.a.com", "b.com"]}}
    given = _round_trip(bench, "referer", "RefererConfiguration", document, missing=None)
    assert given["DomainList"]["Domain"] == ["*.a.com", "b.com"]
    assert on(bench, "get_bucket_referer")()["RefererConfiguration"] is None


def check_encryption(bench: Bench) -> None:
    document = {"Rule": [{"ApplySideEncryptionConfiguration": {"SSEAlgorithm": "AES256"}}]}
    missing = "NoSuchEncryptionConfiguration"
    given = _round_trip(bench, "encryption", "ServerSideEncryptionConfiguration", document, missing=missing)
    assert given["Rule"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def check_domains_and_origins(bench: Bench) -> None:
    rule = {"Status": "ENABLED", "Name": "www.a.com", "Type": "REST"}
    domains, missing = {"DomainRule": [rule]}, "NoSuchDomainConfiguration"
    given = _round_trip(bench, "domain", "DomainConfiguration", domains, missing=missing)
    assert given["DomainRule"][0]["Name"] == "www.a.com"
    host = {"HostInfo": {"HostName": "b.com"}}
    origin = {"OriginRule": [{"OriginType": "Mirror", "OriginInfo": host, "OriginParameter": {"Protocol": "HTTP"}}]}
    _round_trip(bench, "origin", "OriginConfiguration", origin, missing="NoSuchOriginConfiguration")


def check_replication(bench: Bench) -> None:
    destination = {"Bucket": "qcs::cos:ap-beijing::b-1250000000"}
    rule = {"ID": "1", "Status": "Enabled", "Prefix": "a/", "Destination": destination}
    document = {"Role": "qcs::cam::uin/1:uin/1", "Rule": [rule]}
    on(bench, "put_bucket_versioning")(Status="Enabled")
    missing = "NoSuchReplicationConfiguration"
    given = _round_trip(bench, "replication", "ReplicationConfiguration", document, missing=missing)
    assert given["Rule"][0]["Prefix"] == "a/"


def check_versioning_and_logging(bench: Bench) -> None:
    on(bench, "put_bucket_versioning")(Status="Suspended")
    assert on(bench, "get_bucket_versioning")()["Status"] == "Suspended"
    logging = {"LoggingEnabled": {"TargetBucket": bench.bucket, "TargetPrefix": "log/"}}
    on(bench, "put_bucket_logging")(BucketLoggingStatus=logging)
    assert on(bench, "get_bucket_logging")()["LoggingEnabled"]["TargetPrefix"] == "log/"


def check_intelligent_tiering_old_and_new(bench: Bench) -> None:
    old = {"Status": "Enabled", "Transition": {"Days": "30", "RequestFrequent": "1"}}
    on(bench, "put_bucket_intelligenttiering")(IntelligentTieringConfiguration=old)
    assert on(bench, "get_bucket_intelligenttiering")()["Transition"]["Days"] == "30"
    assert on(bench, "get_bucket_intelligenttiering_v2")(Id="default")["Tiering"]["Days"] == "30"
    tier = {"AccessTier": "INFREQUENT", "Days": 30, "RequestFrequent": "1"}
    new = {"Id": "one", "Status": "Enabled", "Tiering": [tier]}
    on(bench, "put_bucket_intelligenttiering_v2")(Id="one", IntelligentTieringConfiguration=new)
    assert on(bench, "get_bucket_intelligenttiering_v2")(Id="one")["Tiering"]["AccessTier"] == "INFREQUENT"
    listed = on(bench, "list_bucket_intelligenttiering_configurations")()
    assert "one" in str(listed)


def check_object_lock(bench: Bench) -> None:
    document = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Days": 30}}}
    on(bench, "put_bucket_object_lock")(ObjectLockConfiguration=document)
    assert on(bench, "get_bucket_object_lock")()["ObjectLockEnabled"] == "Enabled"


def check_inventories_are_listed_in_pages(bench: Bench) -> None:
    destination = {"AccountId": "1", "Bucket": f"qcs::cos:ap-guangzhou::{bench.bucket}", "Format": "CSV", "Prefix": "i"}
    document = {
        "Destination": {"COSBucketDestination": destination}, "IsEnabled": "True", "Schedule": {"Frequency": "Daily"},
        "IncludedObjectVersions": "All", "OptionalFields": {"Field": ["Size", "ETag"]}, "Filter": {"Prefix": "a"},
    }  # fmt: skip
    for n in range(101):
        on(bench, "put_bucket_inventory")(Id=f"i{n}", InventoryConfiguration=dict(document))
    assert on(bench, "get_bucket_inventory")(Id="i7")["Id"] == "i7"
    first = on(bench, "list_bucket_inventory_configurations")()
    assert (len(first["InventoryConfiguration"]), first["IsTruncated"]) == (100, "true")
    token = first["NextContinuationToken"]
    second = on(bench, "list_bucket_inventory_configurations")(ContinuationToken=token)
    assert second["IsTruncated"] == "false"
    ids = {item["Id"] for item in [*first["InventoryConfiguration"], second["InventoryConfiguration"]]}
    assert ids == {f"i{n}" for n in range(101)}
    on(bench, "delete_bucket_inventory")(Id="i7")
    refused(404, "NoSuchInventoryConfiguration", on(bench, "get_bucket_inventory"), Id="i7")


def check_all_about_a_bucket_at_once(bench: Bench) -> None:
    meta = on(bench, "get_bucket_meta")()
    assert meta["Location"] == bench.target.region and meta["ACL"] is not None


def check_what_is_not_offered_is_named(bench: Bench) -> None:
    refused(501, "NotImplemented", bench.client.list_live_channel, Bucket=bench.bucket)
