"""The configuration: from flags, the environment, a named route in a file, in that order.

The file is TOML::

    route = "frogtech"          # the route when none is named

    [routes.frogtech]
    source = "s3://frogtech-sharara-external"
    destination = "s3://frogtech-sharara-internal"
    profile = "operator"        # optional, like region and endpoint_url
    function = "frogmove:live"  # what moves uploads along it, if anything does
    require_tag = "GuardDutyMalwareScanStatus=NO_THREATS_FOUND"   # what a scanner has to find
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frogmove.core.models import Route
from frogmove.core.required_tags import parse_tag
from frogmove.errors import UsageError
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Mapping


# Settings that an environment variable can give.
_VARIABLES = (
    "source",
    "destination",
    "endpoint_url",
    "kms_key_id",
    "expected_bucket_owner",
    "require_tag",
    "function",
)

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Config:
    """What was asked for; None is whatever is next in order, at the end boto3's own defaults.

    Attributes:
        source: the source's URI.
        destination: the destination's URI.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: an S3-compatible server instead of AWS.
        expected_bucket_owner: the account that both buckets must belong to.
        requester_pays: ``yes`` to pay for requests to a bucket whose owner does not.
        no_sign_request: ``yes`` to send requests unsigned, by nobody in particular.
        kms_key_id: the key to encrypt copies with, instead of the bucket's default.
        function: the deployed function that moves uploads along the route.
        require_tag: ``KEY=VALUE``; objects without this tag are left where they are.
        engine: ``boto3`` or ``crt``; ``auto`` for whichever is faster and can be used.

    Raises:
        UsageError: when an account, a key or a tag can be none.
    """

    source: str | None = None
    destination: str | None = None
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    expected_bucket_owner: str | None = None
    requester_pays: str | None = None
    no_sign_request: str | None = None
    kms_key_id: str | None = None
    engine: str | None = None
    require_tag: str | None = None
    function: str | None = None

    def __post_init__(self) -> None:
        if self.expected_bucket_owner:
            check_account(self.expected_bucket_owner)
        if self.kms_key_id:
            check_key_id(self.kms_key_id)
        if self.require_tag:
            parse_tag(self.require_tag)

    def route(self) -> Route:
        """Return the route.

        Raises:
            UsageError: when an end of it is missing or malformed.
        """
        return Route(self.end("source"), self.end("destination"))

    def end(self, name: Literal["source", "destination"]) -> Location:
        """Return one end of the route.

        Raises:
            UsageError: when it is missing or malformed.
        """
        uri = self.source if name == "source" else self.destination
        if not uri:
            raise UsageError(
                f"No {name} is given.",
                f"Give --{name} s3://bucket/prefix, or set FROGMOVE_{name.upper()}, "
                "or name a --route of the configuration file.",
            )
        return parse_location(uri)


def check_account(text: str) -> None:
    """Refuse what is no AWS account's id: S3 answers it like somebody else's bucket.

    Raises:
        UsageError: when it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) == _ACCOUNT_DIGITS):
        raise UsageError(f"{text!a} is not the id of an AWS account.", "It has 12 digits.")


def check_key_id(text: str) -> None:
    """Refuse what cannot name a KMS key, before it stands in a header.

    Raises:
        UsageError: when it cannot.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{text!a} is not a KMS key.", "Give its id, its ARN or its alias/name.")


def resolve(
    flags: Config, route: str | None, environment: Mapping[str, str], file: Path | None
) -> Config:
    """Put settings together: each from the first of its sources that has it.

    Flags come first, then a route named by a flag, then ``FROGMOVE_SOURCE``,
    ``FROGMOVE_DESTINATION``, ``FROGMOVE_ENDPOINT_URL``, ``FROGMOVE_KMS_KEY_ID``,
    ``FROGMOVE_EXPECTED_BUCKET_OWNER``, ``FROGMOVE_REQUIRE_TAG`` and ``FROGMOVE_FUNCTION``, then
    the route of ``FROGMOVE_ROUTE``, then the file's default route.

    Args:
        flags: what was given on the command line.
        route: the route that was named there.
        environment: the environment variables.
        file: the configuration file, whether or not it exists; None for none.

    Raises:
        UsageError: when a route is named that is not there, or the file cannot be used.
    """
    if environment.get("FROGMOVE_CONFIG") and file is not None and not file.exists():
        raise UsageError(
            f"There is no file {str(file)!r}, which FROGMOVE_CONFIG names.",
            "Correct the variable, or unset it.",
        )
    sources: list[Mapping[str, str]] = [_given(flags)]
    variables = {
        name: environment[f"FROGMOVE_{name.upper()}"]
        for name in _VARIABLES
        if environment.get(f"FROGMOVE_{name.upper()}")
    }
    if route:
        sources += [_named_route(route, _read(file), file), variables]
    else:
        document = _read(file)
        name = environment.get("FROGMOVE_ROUTE") or document.get("route")
        sources += [variables, _named_route(name, document, file) if name else {}]
    return Config(**ChainMap(*(dict(source) for source in sources)))


def config_file(environment: Mapping[str, str]) -> Path:
    """Return the path of ``FROGMOVE_CONFIG``, else the user's own; there may be no such file."""
    named = environment.get("FROGMOVE_CONFIG")
    if named:
        return Path(named)
    # The Lambda has no configuration file, and so does without this package.
    from platformdirs import user_config_path

    return user_config_path("frogmove") / "config.toml"


def route_names(file: Path) -> list[str]:
    """Return the names of the configuration file's routes.

    Raises:
        UsageError: when the file cannot be used.
    """
    named = _read(file).get("routes")
    return sorted(named) if isinstance(named, dict) else []


def _given(config: Config) -> dict[str, str]:
    values = {field.name: getattr(config, field.name) for field in fields(Config)}
    return {name: value for name, value in values.items() if value}


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    # The Lambda, which has no file, starts the sooner without.
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(file, error.strerror) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, reason: object) -> UsageError:
    return UsageError(
        f"The configuration file {str(file)!r} cannot be read: {reason}.",
        "Correct it, or name another in FROGMOVE_CONFIG.",
    )


def _named_route(name: object, document: Mapping[str, Any], file: Path | None) -> dict[str, str]:
    routes = document.get("routes")
    if not isinstance(routes, dict):
        routes = {}
    # The file may hold anything at all in the place of a name.
    if not isinstance(name, str) or not isinstance(routes.get(name), dict):
        raise UsageError(
            f"There is no route {name!r} in {str(file or '')!r}.", _known_routes(routes, file)
        )
    chosen: dict[str, Any] = routes[name]
    for option, value in chosen.items():
        if option not in _given_names() or not isinstance(value, str):
            raise UsageError(
                f"{option!r} of route {name!r} in {str(file or '')!r} is not a setting.",
                f"A route has {', '.join(_given_names())}, each a text.",
            )
    return chosen


def _known_routes(routes: Mapping[str, Any], file: Path | None) -> str:
    if routes:
        return f"It has: {', '.join(sorted(routes))}."
    if file and file.exists():
        return "It has no routes: each is a table, [routes.NAME], with a source and a destination."
    return "There is no such file: make it, set FROGMOVE_CONFIG, or give both ends of the route."


def _given_names() -> list[str]:
    return [field.name for field in fields(Config)]
