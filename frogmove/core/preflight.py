"""Whether both ends of a route can be used and are two, asked before anything is touched."""

import contextlib
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from frogmove.core.advice import permission
from frogmove.core.models import Route
from frogmove.core.scheduler import run_one, wait_for
from frogmove.errors import UnreachableError, UsageError
from frogmove.s3.capabilities import as_written
from frogmove.s3.errors import SIGN_IN, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import Copied, Copy, Deletion, Head, S3Object
from frogmove.s3.uri import Location, is_access_point


def check(s3: S3, location: Location, *, must_list: bool) -> None:
    """Ask a bucket for one key, the cheapest question whose answer names what is wrong.

    HeadBucket would do, but its answers carry no error code.

    Args:
        s3: where the bucket is.
        location: the bucket and prefix.
        must_list: whether a refusal to list is in the way; without s3:ListBucket one may still
            copy and delete.

    Raises:
        UnreachableError: when the bucket cannot be used.
    """
    try:
        s3.list_page(location.bucket, location.prefix, limit=1).result()
    except S3Error as error:
        if error.kind is not Kind.DENIED or must_list:
            raise explain(error, location.bucket) from error


def check_distinct(s3: S3, route: Route, probed: Location, *, dry_run: bool = False) -> None:
    """Refuse a route whose ends are one bucket under two names.

    Only where a name is that of an access point; the protocol itself watches for other aliases.
    A dry run, which never writes, compares what both ends list.

    Args:
        s3: where both are.
        route: the route.
        probed: its end to which a throw-away key may be written.
        dry_run: whether nothing may be written.

    Raises:
        UsageError: when they are.
        S3Error: when it cannot be found out.
    """
    source, destination = route.source.bucket, route.destination.bucket
    if source == destination or not (may_be_alias(source) or may_be_alias(destination)):
        return
    other = source if probed.bucket == destination else destination
    if dry_run:
        one = _list_the_same(s3, route)
    else:
        one = run_one(is_same_place(s3, Location(other, probed.prefix), probed))
    if one:
        raise UsageError(
            f"{source!r} and {destination!r} are one bucket under two names.",
            "A move onto itself would delete the objects.",
        )


def _list_the_same(s3: S3, route: Route) -> bool:
    """Tell whether both buckets list the same objects, times included, for the source."""
    ends = (route.source.bucket, route.destination.bucket)
    try:
        pages = [s3.list_page(bucket, route.source.prefix).result().objects for bucket in ends]
    except S3Error as error:
        if error.kind is Kind.DENIED:
            return False
        raise
    return bool(pages[0]) and list(pages[0]) == list(pages[1])


@contextlib.contextmanager
def explained(bucket: str) -> Iterator[None]:
    """Turn S3's refusals, before anything is touched, into errors for people.

    Raises:
        UnreachableError: instead of S3Error.
    """
    try:
        yield
    except S3Error as error:
        raise explain(error, bucket) from error


def explain(error: S3Error, bucket: str) -> UnreachableError:
    """Say for people why a bucket cannot be used, and what to do about it.

    Args:
        error: what was answered; its code and words are in what is said.
        bucket: the bucket that was asked for.
    """
    said = error.said
    if error.signing_in:
        return _not_signed_in(error, bucket)
    if error.code in _SKEWED:
        return UnreachableError(
            f"This computer's clock and the server's differ too much for {bucket!r}: {said}.",
            "Set this computer's clock, such as by NTP, and try again.",
        )
    if error.is_untrusted:
        return UnreachableError(
            f"The bucket {bucket!r} cannot be reached: {said}.",
            "Name a file of certificates that has the server's authority in AWS_CA_BUNDLE.",
        )
    match error.kind:
        case Kind.NO_BUCKET | Kind.MISSING:
            return UnreachableError(
                f"The bucket {bucket!r} does not exist: {said}.",
                "Check the route's spelling, --endpoint-url, and the account you are in.",
            )
        case Kind.CREDENTIALS:
            return UnreachableError(
                f"S3 refused the credentials for {bucket!r}: {said}.",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, "
                "or renew an expired session.",
            )
        case Kind.DENIED:
            return UnreachableError(
                f"You have no permission for what {bucket!r} was asked: {said}.",
                f"It needs permission: {permission(error)}. "
                "Ask whoever runs the account, or choose another --profile.",
            )
        case Kind.UNREACHABLE:
            return UnreachableError(
                f"The bucket {bucket!r} cannot be reached: {said}.",
                "Check --endpoint-url, --region, the proxy and the network.",
            )
    if error.code in _ELSEWHERE or (error.status or 0) // 100 == 3:
        return UnreachableError(
            f"The bucket {bucket!r} is in another Region or at another endpoint: {said}.",
            f"Give its own Region: --region {region}."
            if (region := _region(error))
            else "Give the bucket's own Region with --region, or its endpoint with --endpoint-url.",
        )
    return UnreachableError(
        f"S3 would not answer for {bucket!r}: {error.operation}: {said}.",
        "Try again in a moment."
        if error.retrying_helps
        else "Check the route, --endpoint-url and --region.",
    )


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})


# In what S3 says of a bucket that is asked in another Region.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REGION = re.compile(r"(?:expecting '|the bucket is in |[Tt]he )([a-z]{2,4}(?:-[a-z]+)+-\d+)\b")


def _region(error: S3Error) -> str:
    """Return the bucket's Region, where the server names it."""
    named = _REGION.search(error.message)
    return named[1] if named else ""


_ELSEWHERE = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)


def _not_signed_in(error: S3Error, bucket: str) -> UnreachableError:
    """Say that there are no credentials to ask S3 with, and who would not give them."""
    if error.operation == SIGN_IN:
        return UnreachableError(
            f"There are no credentials to ask S3 for {bucket!r} with: {error.said}.",
            error.remedy
            or "Sign in again, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or choose another --profile.",
        )
    service = "IAM Identity Center" if error.operation in _IDENTITY_CENTER else "STS"
    return UnreachableError(
        f"{service}, not S3, refused {error.operation}: {error.said}.",
        "Sign in again, choose another --profile, or ask whoever runs the account "
        f"to allow {error.operation}.",
    )


_IDENTITY_CENTER = frozenset({"CreateToken", "GetRoleCredentials"})


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ALIAS_ENDINGS = ("-s3alias", "-ext-s3alias")


_OTHER_ETAG = "0" * 32


def may_be_alias(bucket: str) -> bool:
    """Tell whether a bucket's name is that of an access point, behind which is another bucket."""
    return is_access_point(bucket) or bucket.endswith(_ALIAS_ENDINGS)


async def is_same_place(s3: S3, looked_at: Location, written_to: Location) -> bool:
    """Find out by something that is begun at one place and looked for at the other.

    Between buckets of AWS, and where a throw-away key could not be deleted again, that is a
    multipart upload, which no reader sees and which sets off no notification. Elsewhere uploads
    do not tell: some servers take two keys for one only once they are written.

    Raises:
        S3Error: when that cannot be done.
    """
    name = f".frogmove-probe-{uuid.uuid4().hex}"
    here = Location(looked_at.bucket, looked_at.prefix + name)
    there = Location(written_to.bucket, written_to.prefix + name)
    if may_be_alias(here.bucket) or may_be_alias(there.bucket):
        return await _share_an_upload(s3, here, there)
    try:
        await wait_for(s3.delete(there.bucket, Deletion(there.prefix, _OTHER_ETAG)))
    except S3Error as error:
        if error.kind is Kind.DENIED:
            return await _share_an_upload(s3, here, there)
    return await _share_a_key(s3, here, there)


async def _share_an_upload(s3: S3, here: Location, there: Location) -> bool:
    nothing = S3Object(there.prefix, 0, "", datetime.now(UTC))
    copy = Copy(there.bucket, nothing, there.bucket, there.prefix)
    upload_id = await wait_for(s3.create_upload(copy, Head(nothing), {}, None))
    try:
        await wait_for(s3.list_parts(here.bucket, here.prefix, upload_id))
    except S3Error as error:
        if error.kind is not Kind.NO_UPLOAD:
            raise
        return False
    else:
        return True
    finally:
        with contextlib.suppress(S3Error):
            await wait_for(s3.abort_upload(there.bucket, there.prefix, upload_id))


async def _share_a_key(s3: S3, here: Location, there: Location) -> bool:
    sent = s3.put(there.bucket, there.prefix, b"frogmove asks where this is")
    written: Copied | None = None
    try:
        written = await wait_for(sent)
        seen = await wait_for(s3.head(here.bucket, here.prefix))
    except S3Error as error:
        if error.kind is not Kind.MISSING:
            raise
        return False
    else:
        return etags_match(seen.object.etag, written.etag)
    finally:
        with contextlib.suppress(S3Error):
            if written is None:
                # Its answer may have been lost.
                lost = await wait_for(s3.head(there.bucket, there.prefix))
                written = Copied(lost.object.etag)
            await wait_for(s3.delete(there.bucket, as_written(there.prefix, written)))
