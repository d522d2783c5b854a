"""Checks before a run: both buckets can be used, and they are not the same."""

from collections.abc import Collection, Iterable

from frogmove.core.advice import explain, explain_errors
from frogmove.core.models import Route
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.same_place import is_same_place, may_be_alias
from frogmove.core.scheduler import run_one
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.bucket_features import Feature
from frogmove.s3.capabilities import Capabilities
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.future import Future
from frogmove.s3.interface import S3
from frogmove.s3.models import Page
from frogmove.s3.uri import Location, folder_prefix, is_directory_bucket


def check(s3: S3, *ends: Location, must_list: Collection[Location] = ()) -> None:
    """Check that buckets can be used; see :func:`request_pages` and :func:`read_pages`."""
    read_pages(request_pages(s3, *ends), must_list)


def request_pages(s3: S3, *ends: Location) -> list[tuple[Location, Future[Page]]]:
    """List one key of each bucket: the cheapest request whose response says what is wrong.

    HeadBucket would be cheaper, but its responses have no error code. The requests are concurrent.

    Args:
        s3: where the buckets are.
        ends: the buckets and prefixes.
    """
    return [(end, s3.list_page(end.bucket, end.prefix, limit=1)) for end in ends]


def read_pages(
    asked: Iterable[tuple[Location, Future[Page]]], must_list: Collection[Location] = ()
) -> None:
    """Read the responses to :func:`request_pages`, in their order.

    Args:
        asked: the ends and their responses.
        must_list: those that the run lists. For the others, a denied listing is no error: copies
            and deletes do not need s3:ListBucket.

    Raises:
        UnreachableError: when a bucket cannot be used.
    """
    for end, page in asked:
        try:
            page.result()
        except S3Error as error:
            if error.kind is not Kind.DENIED or end in must_list:
                raise explain(error, end.bucket) from error


def listed_ends(spec: RunSpec) -> tuple[Location, ...]:
    """Return the ends of a run's route that the run lists."""
    route = spec.route()
    if spec.command is Command.UNDO or not spec.selection.is_of_folders:
        return ()
    if spec.command is Command.SYNC:
        return (route.source, route.destination)
    return (route.source,)


def first_prefixes(spec: RunSpec) -> dict[Location, str]:
    """Return the ends of a run's route that it lists, each with the prefix that it lists first."""
    route, mapping = spec.route(), spec.mapping
    ends = listed_ends(spec)
    if not ends:
        return {}
    folder = spec.selection.folders[0]
    found = {route.source: folder_prefix(folder)}
    if route.destination in ends and mapping.keeps_order:
        found[route.destination] = folder_prefix(mapping.destination_prefix(folder, route))
    return found


def restore_warning(s3: S3, bucket: str) -> str:
    """Return a warning that an undo could not restore deleted objects; empty if it can.

    Raises:
        UnreachableError: when no further request can succeed.
    """
    with explain_errors(bucket):
        try:
            may_keep = not is_directory_bucket(bucket)
            if may_keep and s3.has_feature(bucket, Feature.VERSIONS).result():
                return ""
        except S3Error as error:
            if error.ends_the_run:
                raise
            return (
                f"It cannot be determined whether s3://{bucket} keeps versions, without which "
                "deleted and replaced objects cannot be restored. To check, allow "
                "s3:GetBucketVersioning; to keep copies, use --backup."
            )
    return (
        f"s3://{bucket} keeps no versions: objects that are deleted or replaced there cannot be "
        "restored. To keep copies, use --backup."
    )


def check_conditional(capabilities: Capabilities, endpoint_url: str) -> None:
    """Refuse a server that does not honour every condition, as --require-conditional asks.

    Raises:
        UsageError: when it does not.
    """
    if capabilities.shortcomings:
        raise UsageError(
            f"{endpoint_url} {'; '.join(capabilities.shortcomings)}.",
            "Nothing was moved, because of --require-conditional.",
        )


def check_distinct(s3: S3, route: Route, probed: Location, *, dry_run: bool = False) -> None:
    """Refuse a route whose two ends are one bucket under two names.

    Only checked if a name is that of an access point; each copy checks for other aliases. A dry run
    never writes, so it compares the listings of both ends.

    Args:
        s3: the client for both buckets.
        route: the route.
        probed: the end to which a temporary key may be written.
        dry_run: whether writing is not allowed.

    Raises:
        UsageError: when they are the same bucket.
        S3Error: when that cannot be determined.
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
            f"{in_quotes(source)} and {in_quotes(destination)} are one bucket under two names.",
            "A move onto itself would delete the objects.",
        )


def _list_the_same(s3: S3, route: Route) -> bool:
    """Tell whether both buckets list the same objects and times under the source's prefix."""
    ends = (route.source.bucket, route.destination.bucket)
    try:
        pages = [s3.list_page(bucket, route.source.prefix).result().objects for bucket in ends]
    except S3Error as error:
        if error.kind is Kind.DENIED:
            return False
        raise
    return bool(pages[0]) and list(pages[0]) == list(pages[1])
