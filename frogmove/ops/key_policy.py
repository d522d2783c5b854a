"""Reads what the policy of a KMS key says about a user or a role; grants are not read.

https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from frogmove.ops.policy_document import listed, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Verdict(Enum):
    """What a key's policy says about an action."""

    DENIED = auto()
    ALLOWED = auto()
    # It allows the account, whose IAM policies decide.
    LEFT_TO_IAM = auto()
    NOT_ALLOWED = auto()
    # It is not known, or has conditions that cannot be evaluated here.
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The policy of a key.

    Attributes:
        text: the policy, as GetKeyPolicy returns it.
        service: the service that uses the key for its callers, such as
            ``s3.eu-west-1.amazonaws.com``.
    """

    text: str
    service: str

    def judge(self, action: str, principal: str, *, has_path: bool = True) -> Verdict:
        """Return what it says about an action of a user or a role.

        Args:
            action: the action.
            principal: the ARN of the user or role.
            has_path: whether the ARN has its path; that of a session lacks it.
        """
        account = principal.split(":")[4]
        context = {
            "kms:viaservice": self.service,
            "kms:calleraccount": account,
            "aws:principalaccount": account,
            "aws:securetransport": "true",
        }
        if has_path:
            context["aws:principalarn"] = principal
        found, is_unclear = set(), False
        known = statements(self.text)
        for each in known or ():
            named = _names(each, principal, account)
            holds = _holds(each.get("Condition", {}), context)
            if not _is_about(each, action) or named is Verdict.NOT_ALLOWED or holds is False:
                continue
            is_known = holds is True and named is not Verdict.UNKNOWN
            if each.get("Effect") != "Deny":
                found.add(named if is_known else Verdict.UNKNOWN)
            elif is_known:
                return Verdict.DENIED
            else:
                is_unclear = True
        if is_unclear or known is None:
            return Verdict.UNKNOWN
        order = (Verdict.ALLOWED, Verdict.LEFT_TO_IAM, Verdict.UNKNOWN)
        return next((each for each in order if each in found), Verdict.NOT_ALLOWED)


def _is_about(statement: Mapping[str, Any], action: str) -> bool:
    def matches(name: str) -> bool:
        patterns = [str(each).lower() for each in listed(statement.get(name))]
        return any(fnmatchcase(action.lower(), each) for each in patterns)

    return not matches("NotAction") if "NotAction" in statement else matches("Action")


def _names(statement: Mapping[str, Any], principal: str, account: str) -> Verdict:
    """Return how a statement names a principal: itself, by its account, or not at all."""
    if "NotPrincipal" in statement:
        return Verdict.UNKNOWN
    named = statement.get("Principal")
    names = [
        str(each) for each in listed(named.get("AWS", []) if isinstance(named, dict) else named)
    ]
    if "*" in names or any(_is_same(each, principal) for each in names):
        return Verdict.ALLOWED
    root = f"{':'.join(principal.split(':')[:5])}:root"
    return Verdict.LEFT_TO_IAM if {root, account} & set(names) else Verdict.NOT_ALLOWED


def _is_same(one: str, other: str) -> bool:
    """Tell whether two ARNs are of the same user or role; that of a session lacks its path."""
    kind, name = one.split("/", 1)[0], one.rpartition("/")[2]
    return (kind, name) == (other.split("/", 1)[0], other.rpartition("/")[2])


# Tests of conditions, without IfExists: all keys of the context exist.
_TESTS: dict[str, Callable[[str, list[str]], bool]] = {
    "stringequals": lambda value, values: value in values,
    "stringnotequals": lambda value, values: value not in values,
    "stringlike": lambda value, values: any(fnmatchcase(value, each) for each in values),
    "stringnotlike": lambda value, values: not any(fnmatchcase(value, each) for each in values),
    "bool": lambda value, values: value in [each.lower() for each in values],
}
for _name in ("equals", "notequals", "like", "notlike"):
    _TESTS[f"arn{_name}"] = _TESTS[f"string{_name.replace('equals', 'like')}"]


def _holds(condition: object, context: Mapping[str, str]) -> bool | None:
    """Tell whether a condition holds; None if that is not known."""
    if not isinstance(condition, dict):
        return None
    is_known = True
    for test, named in condition.items():
        known = _TESTS.get(test.lower().removesuffix("ifexists"))
        for name, values in named.items() if isinstance(named, dict) else [("", "")]:
            value = context.get(name.lower())
            if known is None or value is None:
                is_known = False
            elif not known(value, [str(each) for each in listed(values)]):
                return False
    return True if is_known else None
