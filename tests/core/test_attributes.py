"""What S3 does not copy: copied where an option asks for it, else reported, never lost unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.attributes import Attribute, parse_attributes, warnings
from frogmove.errors import UsageError
from frogmove.s3.boto import BotoS3
from frogmove.s3.bucket_features import BucketFeatures, Feature, read_features, request_features
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES
from tests.iam_users import denied
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from tests.function.invoke import Invoke
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

MIB = 2**20
UNTIL = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
READERS = "http://acs.amazonaws.com/groups/global/AllUsers"
SHORT = {"small": 10, "large": 5 * MIB + 1}
IN_PARTS = ("--multipart-threshold", "5MiB")


@dataclass
class Site:
    """Buckets of which the source is a website, with Object Lock on both and ACLs in use.

    Unlike AWS, the server copies redirects too.
    """

    buckets: Buckets

    @classmethod
    def make(cls, server: Server, *, features: bool = True) -> Site:
        buckets = Buckets.make(server)
        made = cls(
            replace(buckets, source=f"{buckets.source}-l", destination=f"{buckets.destination}-l")
        )
        client = made.buckets.client
        for bucket in (made.buckets.source, made.buckets.destination):
            client.create_bucket(
                Bucket=bucket,
                ObjectLockEnabledForBucket=features,
                ObjectOwnership="ObjectWriter" if features else "BucketOwnerEnforced",
            )
            client.delete_public_access_block(Bucket=bucket)
        if features:
            client.put_bucket_website(
                Bucket=made.buckets.source,
                WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}},
            )
        return made

    def put(self, size: int = 10, **more: Any) -> None:
        # This server refuses right CRCs of objects in parts.
        self.buckets.put("a", body=bytes(size), ChecksumAlgorithm="SHA256", **more)

    def head(self, bucket: str = "") -> dict[str, Any]:
        where = {"Bucket": bucket or self.buckets.destination, "Key": "a"}
        found: dict[str, Any] = self.buckets.client.head_object(**where)
        return found

    def grants(self) -> list[Any]:
        where = {"Bucket": self.buckets.destination, "Key": "a"}
        found: list[Any] = self.buckets.client.get_object_acl(**where)["Grants"]
        return found

    def move(self, *arguments: str, **environment: str) -> Any:
        return FrogmoveRunner(self.buckets)("move", "a", "-o", "json", *arguments, **environment)


@pytest.fixture
def site(ministack: Server) -> Site:
    return Site.make(ministack)


REDIRECT: dict[str, Any] = {"WebsiteRedirectLocation": "/elsewhere"}
RETENTION: dict[str, Any] = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
HOLD: dict[str, Any] = {"ObjectLockLegalHoldStatus": "ON"}
WORDS = {"redirect": "website redirect", "retention": "retention", "legal-hold": "legal hold"}
GIVEN = {"redirect": REDIRECT, "retention": RETENTION, "legal-hold": HOLD}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", SHORT.values(), ids=SHORT)
@pytest.mark.parametrize("name", GIVEN)
def test_carry_gives_the_copy_its_attribute_or_keeps_the_source(
    site: Site, name: str, size: int, engine: str
) -> None:
    site.put(size, **GIVEN[name])
    ran = site.move("--carry", name, *IN_PARTS, FROGMOVE_ENGINE=engine)
    if size == SHORT["large"] and name != "redirect":
        # This server ignores Object Lock where an upload is begun.
        assert ran.outcomes == {"a": "failed"}
        assert f"lacks the source's {WORDS[name]}; source kept" in ran.of("result")[0]["reason"]
        return
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"}), ran
    there = site.head()
    assert {key: there.get(key) for key in GIVEN[name]} == GIVEN[name]
    (result,) = ran.of("result")
    assert "not carried" not in result["reason"]


@pytest.mark.parametrize("size", SHORT.values(), ids=SHORT)
@pytest.mark.parametrize("name", ["retention", "legal-hold"])
def test_attributes_that_are_not_carried_are_reported(site: Site, name: str, size: int) -> None:
    site.put(size, **GIVEN[name])
    ran = site.move(*IN_PARTS)
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (0, "moved")
    if all(site.head().get(key) != value for key, value in GIVEN[name].items()):
        assert f"not carried: {WORDS[name]}" in result["reason"]
    else:
        assert result["reason"] == ""


def test_redirect_that_was_dropped_is_reported(site: Site, hooks: RequestHooks) -> None:
    """AWS drops it from a single copy."""
    site.put(**REDIRECT)
    drop_redirects(site, hooks)
    ran = site.move()
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (0, "moved")
    assert result["reason"].endswith("not carried: website redirect")


@pytest.mark.parametrize("carry", [(), ("--carry", "redirect")], ids=["strict", "asked"])
def test_copy_that_lacks_what_it_must_have_keeps_its_source(
    site: Site, hooks: RequestHooks, carry: tuple[str, ...]
) -> None:
    site.put(**REDIRECT)
    drop_redirects(site, hooks)
    ran = site.move(*(carry or ("--verify", "strict")))
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert "website redirect; source kept" in result["reason"]
    assert site.head(site.buckets.source)["WebsiteRedirectLocation"] == "/elsewhere"


def drop_redirects(site: Site, hooks: RequestHooks) -> None:
    """Lose the redirect right after a copy was made, as a server that drops it."""

    def lose() -> None:
        if "a" in site.buckets.there():
            site.buckets.put_there("a", body=bytes(10))

    hooks.before("HeadObject", lose, times=9, match=site.buckets.destination)


def test_verify_strict_looks_where_the_bucket_does_not_say(
    ministack: Server, hooks: RequestHooks
) -> None:
    site = Site.make(ministack, features=False)
    site.put(**REDIRECT)
    drop_redirects(site, hooks)
    ran = site.move("--verify", "strict")
    assert (ran.code, ran.outcomes) == (1, {"a": "failed"})


def test_attribute_that_the_copy_cannot_have_keeps_the_source(site: Site) -> None:
    """The destination has no Object Lock."""
    plain = Buckets.make(site.buckets.server)
    site.put(**RETENTION)
    ran = site.move("--carry", "retention", "--destination", f"s3://{plain.destination}")
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert "source is kept" in result["reason"]
    assert plain.there() == {}


def test_retention_that_has_ended_is_none(site: Site) -> None:
    site.put()
    ran = site.move("--carry", "retention,legal-hold")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert "ObjectLockMode" not in site.head()


def test_acl_is_carried_where_it_is_asked_for(site: Site) -> None:
    site.put(ACL="public-read")
    ran = site.move("--carry", "acl")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"}), ran
    grantees = {(grant["Grantee"].get("URI"), grant["Permission"]) for grant in site.grants()}
    assert (READERS, "READ") in grantees
    assert len(grantees) == 2


def test_acls_that_are_not_carried_are_reported_once_a_run(site: Site) -> None:
    site.put(ACL="public-read")
    ran = site.move()
    assert ran.outcomes == {"a": "moved"}
    assert "uses ACLs, which are not copied" in " ".join(ran.err.split())
    assert READERS not in {grant["Grantee"].get("URI") for grant in site.grants()}
    site.put()
    assert "ACL" not in site.move("--carry", "acl", "--on-conflict", "overwrite").err


# What it costs.


def test_attributes_are_not_asked_for_where_the_bucket_uses_none(
    ministack: Server, hooks: RequestHooks
) -> None:
    site = Site.make(ministack, features=False)
    site.put()
    site.buckets.put("b", "c")
    ran = FrogmoveRunner(site.buckets)("move", "--all")
    assert (ran.code, len(ran.err.splitlines())) == (0, 3), ran.err
    asked = hooks.of("HeadObject", "GetObjectAcl", "GetObjectRetention")
    assert [each.url for each in asked if site.buckets.source in each.url] == []
    assert len(hooks.of("GetBucketWebsite", "GetObjectLockConfiguration")) == 2


@pytest.mark.parametrize("name", ["moto", "seaweedfs"])
def test_bucket_features_of_other_servers_are_none(
    request: pytest.FixtureRequest, name: str
) -> None:
    buckets = Buckets.make(request.getfixturevalue(name))
    s3 = BotoS3(buckets.client, 4)
    assert read_features(request_features(s3, buckets.source)) == BucketFeatures()
    s3.close()
    buckets.put("a")
    assert FrogmoveRunner(buckets)("move", "a", "--carry", "redirect,acl,retention").code == 0
    assert buckets.there() == {"a": b"a"}


def test_bucket_features_that_may_not_be_read_are_reported(site: Site) -> None:
    site.put()
    actions = ("GetBucketWebsite", "GetBucketObjectLockConfiguration", "GetBucketOwnershipControls")
    who = denied(site.buckets, *(f"s3:{action}" for action in actions))
    ran = who("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert "cannot be determined whether the source bucket uses" in " ".join(ran.err.split())


def test_retention_that_may_not_be_read_is_reported(site: Site) -> None:
    """HEAD leaves it out then; this server's does not."""
    site.put()
    who = denied(site.buckets, "s3:GetObjectRetention")
    refused = who("move", "a", "-o", "json", "--carry", "retention")
    assert (refused.code, refused.outcomes) == (1, {"a": "failed"})
    assert "GetObjectRetention" in refused.of("result")[0]["reason"]
    assert "source is kept" in refused.of("result")[0]["reason"]
    ran = who("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert (
        "retention (if it has any: GetObjectRetention is denied)" in (ran.of("result")[0]["reason"])
    )


def test_multipart_copy_is_begun_with_retention_hold_and_acl(
    site: Site, hooks: RequestHooks
) -> None:
    site.put(SHORT["large"], ACL="public-read", **RETENTION, **HOLD)
    site.move("--carry", "retention,legal-hold,acl", *IN_PARTS)
    (begun,) = hooks.of("CreateMultipartUpload")
    assert begun.headers["x-amz-object-lock-mode"] == "GOVERNANCE"
    assert datetime.fromisoformat(begun.headers["x-amz-object-lock-retain-until-date"]) == UNTIL
    assert begun.headers["x-amz-object-lock-legal-hold"] == "ON"
    assert begun.headers["x-amz-grant-read"] == f'uri="{READERS}"'


# Everywhere.


def test_twin_without_the_retention_is_a_conflict(site: Site) -> None:
    site.put(**RETENTION)
    site.buckets.put_there("a", body=bytes(10))
    ran = site.move("--carry", "retention")
    assert (ran.code, ran.outcomes) == (1, {"a": "conflict"})
    assert "without the source's retention" in ran.of("result")[0]["reason"]
    ran = site.move("--carry", "retention", "--on-conflict", "overwrite")
    assert (ran.code, site.head()["ObjectLockMode"]) == (0, "GOVERNANCE")


def test_resume_carries_what_the_run_was_to_carry(site: Site, hooks: RequestHooks) -> None:
    site.put(**HOLD)
    hooks.answer("CopyObject", refusal(400, "InvalidRequest"), times=9)
    assert site.move("--carry", "legal-hold").code == 1
    hooks._rules.clear()
    ran = FrogmoveRunner(site.buckets)("resume", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert site.head()["ObjectLockLegalHoldStatus"] == "ON"


def test_sync_carries_a_legal_hold(site: Site) -> None:
    site.put(**HOLD)
    ran = FrogmoveRunner(site.buckets)("sync", "-o", "json", "--carry", "legal-hold")
    assert (ran.code, ran.outcomes) == (0, {"a": "copied"})
    assert site.head()["ObjectLockLegalHoldStatus"] == "ON"


def test_function_carries_a_legal_hold(site: Site, invoke: Invoke) -> None:
    site.put(**HOLD)
    event = batch(message("1", notification(site.buckets.source, "a")))
    assert invoke(site.buckets, event, FROGMOVE_CARRY="redirect, legal-hold") == {
        "batchItemFailures": []
    }
    assert site.head()["ObjectLockLegalHoldStatus"] == "ON"


def test_parse_attributes_reads_a_list() -> None:
    assert parse_attributes("") == frozenset()
    assert parse_attributes("redirect, acl,") == {Attribute.REDIRECT, Attribute.ACL}
    with pytest.raises(UsageError, match="Unknown attribute") as caught:
        parse_attributes("redirect;acl")
    assert "legal-hold" in caught.value.remedy


def test_warnings_are_none_where_nothing_can_be_lost() -> None:
    assert warnings(BucketFeatures(), frozenset()) == []
    website = BucketFeatures(on=frozenset({Feature.WEBSITE}))
    assert warnings(website, frozenset()) == []
