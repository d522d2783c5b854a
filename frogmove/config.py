"""The configuration, from flags, the environment, and a route in the configuration file.

The file is TOML::

    route = "frogtech"          # the default route

    [routes.frogtech]
    source = "s3://frogtech-sharara-external"
    destination = "s3://frogtech-sharara-internal"
    profile = "operator"        # optional, like region and endpoint_url
    function = "frogmove:live"  # the function that moves uploads along the route, if there is one
    require_tag = "GuardDutyMalwareScanStatus=NO_THREATS_FOUND"  # objects without it are not moved
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frogmove.core.models import Route
from frogmove.core.required_tags import parse_tag
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Mapping


# The settings that can be given by environment variables.
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
    """The configuration; None means the next source of the setting, at last boto3's default.

    Attributes:
        source: the source's URI.
        destination: the destination's URI.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: an S3-compatible server instead of AWS.
        expected_bucket_owner: the account that must own both buckets.
        requester_pays: ``yes`` to pay for requests to requester-pays buckets.
        no_sign_request: ``yes`` to send unsigned requests.
        kms_key_id: the KMS key for copies, instead of the bucket's default encryption.
        function: the deployed function that moves uploads along the route.
        require_tag: ``KEY=VALUE``; objects without this tag are not moved.
        engine: ``boto3`` or ``crt``; ``auto`` for the faster one that can be used.

    Raises:
        UsageError: when an account, a KMS key or a tag is not valid.
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

    def given(self) -> dict[str, Any]:
        """Return the settings that are not None or empty."""
        values = {field.name: getattr(self, field.name) for field in fields(Config)}
        return {name: value for name, value in values.items() if value}

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
                f"No {name} was given.",
                f"Use --{name} s3://bucket/prefix, set FROGMOVE_{name.upper()}, or use a --route "
                "of the configuration file.",
            )
        return parse_location(uri)


@dataclass(frozen=True, slots=True)
class RoleConfig(Config):
    """The configuration of a client that first assumes a role.

    Attributes:
        role_arn: the role's ARN.
    """

    role_arn: str = ""


def check_account(text: str) -> None:
    """Check the id of an AWS account: S3 would only deny access.

    Raises:
        UsageError: when it is not valid.
    """
    if not (text.isascii() and text.isdigit() and len(text) == _ACCOUNT_DIGITS):
        raise UsageError(f"{text!a} is not the id of an AWS account.", "It has 12 digits.")


def check_key_id(text: str) -> None:
    """Check the name of a KMS key, because it is sent in a header.

    Raises:
        UsageError: when it is not valid.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{text!a} is not a KMS key.", "Use its id, its ARN, or alias/NAME.")


def resolve(
    flags: Config, route: str | None, environment: Mapping[str, str], file: Path | None
) -> Config:
    """Combine the settings, each from its first source.

    The order is: flags, the route of a flag, ``FROGMOVE_SOURCE``, ``FROGMOVE_DESTINATION``,
    ``FROGMOVE_ENDPOINT_URL``, ``FROGMOVE_KMS_KEY_ID``, ``FROGMOVE_EXPECTED_BUCKET_OWNER``,
    ``FROGMOVE_REQUIRE_TAG`` and ``FROGMOVE_FUNCTION``, the route of ``FROGMOVE_ROUTE``, the file's
    default route.

    Args:
        flags: the options of the command line.
        route: the route given there.
        environment: the environment variables.
        file: the configuration file, which may not exist; None for none.

    Raises:
        UsageError: when the route does not exist, or the file cannot be used.
    """
    if environment.get("FROGMOVE_CONFIG") and file is not None and not file.exists():
        raise UsageError(
            f"The file {in_quotes(str(file))} of FROGMOVE_CONFIG does not exist.",
            "Correct the variable, or unset it.",
        )
    sources: list[Mapping[str, str]] = [flags.given()]
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
    """Return ``FROGMOVE_CONFIG`` or the user's default path; the file may not exist."""
    named = environment.get("FROGMOVE_CONFIG")
    if named:
        return Path(named)
    # Lazy: the Lambda has no configuration file and no such package.
    from platformdirs import user_config_path

    return user_config_path("frogmove") / "config.toml"


def route_ends(file: Path) -> dict[str, list[str]]:
    """Return the configuration file's routes by name, and the ends that each names.

    Raises:
        UsageError: when the file cannot be used.
    """
    named = _read(file).get("routes")
    if not isinstance(named, dict):
        return {}
    ends = ("source", "destination")
    return {
        name: [str(settings[end]) for end in ends if isinstance(settings, dict) and end in settings]
        for name, settings in sorted(named.items())
    }


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    # Lazy: the Lambda, which has no file, starts faster.
    import tomllib

    try:
        # Some editors begin UTF-8 files with a byte order mark.
        return tomllib.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(file, error.strerror) from error
    except UnicodeDecodeError as error:
        raise _unreadable(file, "it is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, reason: object) -> UsageError:
    return UsageError(
        f"The configuration file {in_quotes(str(file))} cannot be read: {reason}.",
        "Correct it, or set FROGMOVE_CONFIG to another file.",
    )


def _named_route(name: object, document: Mapping[str, Any], file: Path | None) -> dict[str, str]:
    routes = document.get("routes")
    if not isinstance(routes, dict):
        routes = {}
    # The value in the file may have any type.
    if not isinstance(name, str) or not isinstance(routes.get(name), dict):
        raise UsageError(
            f"There is no route {in_quotes(name)} in {in_quotes(str(file or ''))}.",
            _known_routes(routes, file),
        )
    chosen: dict[str, Any] = routes[name]
    for option, value in chosen.items():
        if option not in _given_names() or not isinstance(value, str):
            raise UsageError(
                f"{in_quotes(option)} of route {in_quotes(name)} in {in_quotes(str(file or ''))} "
                "is not a setting.",
                f"The settings of a route are {', '.join(_given_names())}, each a string.",
            )
    return chosen


def _known_routes(routes: Mapping[str, Any], file: Path | None) -> str:
    if routes:
        return f"Its routes are: {', '.join(sorted(routes))}."
    if file and file.exists():
        return "It has no routes. A route is a table [routes.NAME] with a source and a destination."
    return (
        "The file does not exist. Create it, set FROGMOVE_CONFIG, or use --source and "
        "--destination."
    )


def _given_names() -> list[str]:
    return [field.name for field in fields(Config)]
