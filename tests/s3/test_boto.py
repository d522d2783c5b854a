"""What boto3 alone shows, or only an endpoint that answers as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.boto_session import make_boto_client
from frogmove.config import Config
from frogmove.ops.trace_place import look_up_place
from frogmove.s3.boto import BotoS3
from frogmove.s3.boto_shapes import quoted, unquoted
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.models import Copy, Deletion
from tests.buckets import Buckets
from tests.canned_server import XML, canned_server, error, nobody_listening
from tests.factories import an_object, md5
from tests.request_hooks import ALWAYS, Reply
from tests.s3.contract_cases import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.request_hooks import RequestHooks
    from tests.servers import Server


@pytest.fixture
def s3(buckets: Buckets) -> Iterator[BotoS3]:
    made = BotoS3(buckets.client, 4)
    yield made
    made.close()


def sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def speaking_to(endpoint_url: str) -> BotoS3:
    return BotoS3(make_boto_client(Config(endpoint_url=endpoint_url), 2), 2)


def test_copy_carries_headers_metadata_and_tags(buckets: Buckets, s3: BotoS3) -> None:
    headers: dict[str, Any] = {
        "ContentType": "text/csv; charset=utf-8",
        "ContentDisposition": "attachment",
        "CacheControl": "max-age=60",
        "ContentLanguage": "fr",
    }
    buckets.put("a", Metadata={"owner": "frog"}, Tagging="team=pond&year=2026", **headers)
    copy = Copy(
        buckets.source, buckets.seen("a"), buckets.destination, "b", guard_destination=False
    )
    s3.copy(copy).result()
    there = buckets.client.get_object(Bucket=buckets.destination, Key="b")
    assert {name: there.get(name) for name in headers} == headers
    assert there["Metadata"] == {"owner": "frog"}
    tags = buckets.client.get_object_tagging(Bucket=buckets.destination, Key="b")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "pond", "year": "2026"}


def test_copy_keeps_the_storage_class(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", StorageClass="STANDARD_IA")
    (item,) = s3.list_page(buckets.source, "").result().objects
    assert item.storage_class == "STANDARD_IA"
    s3.copy(Copy(buckets.source, item, buckets.destination, "a", guard_destination=False)).result()
    assert s3.head(buckets.destination, "a").result().object.storage_class == "STANDARD_IA"


def test_version_that_is_named_is_the_one_that_is_copied_and_deleted(
    buckets: Buckets, s3: BotoS3
) -> None:
    buckets.version()
    buckets.put("a", body=b"old")
    old = buckets.client.head_object(Bucket=buckets.source, Key="a")["VersionId"]
    buckets.put("a", body=b"newer")
    seen = s3.head(buckets.source, "a", old).result().object
    assert (seen.size, seen.version_id) == (3, old)
    copy = Copy(buckets.source, seen, buckets.destination, "a", guard_destination=False)
    s3.copy(copy).result()
    assert buckets.there() == {"a": b"old"}
    s3.delete(buckets.source, Deletion("a", seen.etag, old)).result()
    assert buckets.here() == {"a": b"newer"}
    assert len([row for row in buckets.state() if row[0] == buckets.source]) == 1


def test_named_version_can_be_deleted_in_a_batch(buckets: Buckets, s3: BotoS3) -> None:
    buckets.version()
    buckets.put("a", body=b"old")
    old = buckets.client.head_object(Bucket=buckets.source, Key="a")["VersionId"]
    buckets.put("a", body=b"newer")
    results = s3.delete_many(buckets.source, [Deletion("a", None, old)]).result()
    assert results == {"a": None}
    assert buckets.here() == {"a": b"newer"}


def test_delete_from_a_versioned_bucket_leaves_the_version(buckets: Buckets, s3: BotoS3) -> None:
    buckets.version()
    buckets.put("a")
    s3.delete(buckets.source, Deletion("a", md5(b"a"))).result()
    assert buckets.here() == {}
    kinds = [row[1] for row in buckets.state()]
    assert sorted(map(str, kinds)) == ["DeleteMarkers", "Versions"]


def test_head_tells_a_full_objects_checksum(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", body=b"frog", ChecksumAlgorithm="SHA256")
    found = s3.head(buckets.source, "a").result().checksums
    checksums = {checksum.algorithm: checksum for checksum in found}
    assert checksums["SHA256"].full_object
    assert checksums["SHA256"].value == "dPpTJ8wPTpR3id1emJphqCQphqWW8XBkCskDN7HaHuQ="


def test_head_does_not_take_the_checksum_of_parts_for_the_objects(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    client, where = buckets.client, {"Bucket": buckets.source, "Key": "a"}
    upload = client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    part = client.upload_part(
        **where, UploadId=upload, PartNumber=1, Body=b"frog", ChecksumAlgorithm="SHA256"
    )
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    head = BotoS3(client, 1).head(buckets.source, "a").result()
    assert head.object.etag.endswith("-1")
    assert not any(checksum.full_object for checksum in head.checksums)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [(("AKADMIN", "wrong"), Kind.CREDENTIALS), (("AKBOB", "SKBOB"), Kind.DENIED)],
    ids=["wrong-secret", "no-rights"],
)
def test_credentials_that_are_refused_are_distinguished_from_missing_permission(
    seaweedfs: Server, keys: tuple[str, str], kind: Kind
) -> None:
    buckets = Buckets.make(seaweedfs)
    s3 = BotoS3(seaweedfs.spoken_to_as(*keys).client(), 1)
    assert refusal(s3.list_page(buckets.source, "").exception()).kind is kind


def test_request_without_credentials_is_not_sent(server: Server) -> None:
    s3 = BotoS3(make_boto_client(Config(endpoint_url=server.endpoint_url), 1), 1)
    problem = refusal(s3.head("external", "a").exception())
    assert problem.kind is Kind.CREDENTIALS
    assert "credentials" in problem.message.lower()


@pytest.mark.usefixtures("credentials")
def test_parameter_that_cannot_be_sent_is_a_refusal() -> None:
    s3 = speaking_to("http://127.0.0.1:9")
    assert refusal(s3.head("external", "").exception()).kind is Kind.REFUSED
    assert refusal(s3.list_page("no bucket", "").exception()).kind is Kind.REFUSED


@pytest.mark.usefixtures("credentials")
def test_port_where_nobody_listens_is_unreachable() -> None:
    with nobody_listening() as endpoint_url:
        s3 = speaking_to(endpoint_url)
        problem = refusal(s3.head("external", "a").exception())
    assert (problem.kind, problem.status) == (Kind.UNREACHABLE, None)
    assert s3.endpoint_url in problem.message


COPY = Copy("external", an_object("a"), "internal", "a")


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_copy_answered_200_with_an_error_is_no_copy(code: str) -> None:
    with canned_server((200, error(code))) as script:
        problem = refusal(speaking_to(script.endpoint_url).copy(COPY).exception())
    assert problem.retrying_helps


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "body", ["", XML, f"{XML}<CopyObjectResult></CopyObjectResult>", "<html>", "\x00"], ids=ascii
)
def test_copy_answered_200_with_nothing_is_no_copy(body: str) -> None:
    with canned_server((200, body)) as script:
        refusal(speaking_to(script.endpoint_url).copy(COPY).exception())


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "SlowDown", Kind.THROTTLED),
        (500, "InternalError", Kind.UNAVAILABLE),
        (403, "InvalidObjectState", Kind.ARCHIVED),
        (409, "ConditionalRequestConflict", Kind.CONFLICT),
        (400, "ExpiredToken", Kind.CREDENTIALS),
        (501, "NotImplemented", Kind.REFUSED),
    ],
)
def test_refusal_is_reported_with_its_kind(status: int, code: str, kind: Kind) -> None:
    with canned_server((status, error(code, "Said so."))) as script:
        problem = refusal(speaking_to(script.endpoint_url).copy(COPY).exception())
    assert (problem.kind, problem.code, problem.status) == (kind, code, status)
    assert problem.message == "Said so."


@pytest.mark.usefixtures("credentials")
def test_batch_fails_the_keys_that_its_answer_lists_as_errors_or_leaves_out() -> None:
    answer = f"""{XML}<DeleteResult>
      <Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error>
      <Error><Key>c</Key><Code>PreconditionFailed</Code><Message>No.</Message></Error>
    </DeleteResult>"""
    deletions = [Deletion(key, md5(b"x")) for key in "abcd"]
    with canned_server((200, answer)) as script:
        results = speaking_to(script.endpoint_url).delete_many("external", deletions).result()
    assert results["a"] is None
    assert refusal(results["b"]).kind is Kind.DENIED
    assert refusal(results["c"]).kind is Kind.CHANGED
    assert refusal(results["d"]).retrying_helps


@pytest.mark.usefixtures("credentials")
def test_boto_s3_takes_no_more_once_closed() -> None:
    s3 = speaking_to("http://127.0.0.1:9")
    s3.close()
    with pytest.raises(RuntimeError):
        s3.head("external", "a")


def test_etags_travel_without_their_quotation_marks() -> None:
    assert (quoted("abc"), unquoted('"abc"'), unquoted("abc")) == ('"abc"', "abc", "abc")


def test_refusal_is_raised_where_the_answer_is_asked_for(buckets: Buckets, s3: BotoS3) -> None:
    with pytest.raises(S3Error, match="HeadObject"):
        s3.head(buckets.source, "gone").result()


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        # As S3 encodes them.
        ("a b", "a+b"),
        ("a+b", "a%2Bb"),
        # As other servers do.
        ("a b", "a%20b"),
        ("a+b", "a+b"),
    ],
)
def test_versions_are_those_of_the_key_however_it_is_encoded(
    monkeypatch: pytest.MonkeyPatch, key: str, encoded: str
) -> None:
    sign_in(monkeypatch)
    entry = f"""<Key>{encoded}</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest>
        <LastModified>2026-01-01T00:00:00.000Z</LastModified>"""
    body = f"""{XML}<ListVersionsResult><EncodingType>url</EncodingType>
        <IsTruncated>false</IsTruncated>
        <Version>{entry}<ETag>"e"</ETag><Size>1</Size></Version>
        <DeleteMarker>{entry}</DeleteMarker></ListVersionsResult>"""
    with canned_server((200, body)) as server:
        client = make_boto_client(Config(endpoint_url=server.endpoint_url), 2)
        (found,) = BotoS3(client, 2).list_versions("internal", key).result()
        place = look_up_place(BotoS3(client, 2), client, "internal", key)
    assert (found.key, found.version_id) == (key, "v1")
    assert [each.size for each in place.versions] == [1, None]


@pytest.mark.parametrize("encoded", ["a+b%2Bc", "a%20b%2Bc", "a%20b+c", "a b+c"])
def test_uploads_are_those_of_the_key_however_it_is_encoded(
    monkeypatch: pytest.MonkeyPatch, encoded: str
) -> None:
    sign_in(monkeypatch)
    upload = f"<Upload><Key>{encoded}</Key><UploadId>u</UploadId></Upload>"
    body = f"""{XML}<ListMultipartUploadsResult><EncodingType>url</EncodingType>{upload}
        </ListMultipartUploadsResult>"""
    with canned_server((200, body)) as server:
        (found,) = speaking_to(server.endpoint_url).list_uploads("internal", "").result()
    assert (found.key, found.upload_id) == ("a b+c", "u")


@pytest.mark.parametrize("read", ["read", "read_md5"])
def test_content_that_is_cut_short_is_no_content(
    buckets: Buckets, hooks: RequestHooks, read: str
) -> None:
    buckets.put("a", body=b"frog")
    item = buckets.seen("a")
    headers = {"ETag": quoted(item.etag), "Content-Length": "4"}
    hooks.answer("GetObject", Reply(206, "fro", headers), times=ALWAYS)
    s3 = hooks.s3(buckets.server)
    assert refusal(getattr(s3, read)(buckets.source, item, 0, 3).exception()).retrying_helps
    s3.close()
