"""What happens when the destination key holds something else: ``--on-conflict``."""

from dataclasses import replace

from frogmove.core.models import Action, Outcome, Result
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.s3.etag import bare
from frogmove.s3.models import Copy, Head, S3Object
from frogmove.s3.uri import MAX_KEY_BYTES

_OLDER = (
    "a named version does not replace a newer object: use --on-conflict keep-both, or move the "
    "key without naming a version"
)


def resolve_conflict(
    options: TransferOptions, action: Action, copy: Copy, found: Head, holds: str
) -> Copy | Result:
    """Apply the policy for a destination that holds something else.

    Args:
        options: the policy.
        action: the action that met the conflict.
        copy: the copy that was refused.
        found: the destination object.
        holds: what the destination holds, in words for the reason.

    Returns:
        the copy to try next, or the result of the action.
    """
    there = found.object
    state = f"the destination holds {holds} ({there.size_and_time}); source kept"
    # What was planned is not what is there: the next sync or plan decides again.
    is_decided = action.replaces is not None or action.forecast is not None
    policy = OnConflict.FAIL if is_decided else options.on_conflict
    both = keep_both_key(action.destination_key, action.object.etag)
    match policy:
        case OnConflict.OVERWRITE if _may_be_newer(there, action):
            return Result(action, Outcome.CONFLICT, f"{state}; {_OLDER}", copy.to_key)
        case OnConflict.OVERWRITE:
            return replace(copy, replaces=there.etag, replaces_version=found.version_id)
        case OnConflict.SKIP:
            return Result(action, Outcome.SKIPPED, state)
        case OnConflict.KEEP_BOTH if copy.to_key != both and len(both.encode()) <= MAX_KEY_BYTES:
            return replace(copy, to_key=both, replaces=None, replaces_version=None)
        case _:
            return Result(action, Outcome.CONFLICT, state, copy.to_key)


def under_policy(action: Action, options: TransferOptions) -> Action:
    """Let a sync replace a different object only if the policy allows it.

    Otherwise the copy may replace nothing, and the policy decides about what it meets. To an action
    with a forecast the policy has been applied.
    """
    is_allowed = options.on_conflict is OnConflict.OVERWRITE or action.forecast is not None
    if is_allowed or action.replaces is None:
        return action
    return replace(action, replaces=None)


def keep_both_key(key: str, etag: str) -> str:
    """Return the key for an object whose own key is taken at the destination.

    It contains a part of the ETag, so that a second run recognises the copy of the first.
    """
    folder, slash, name = key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return f"{folder}{slash}{stem}.{bare(etag)[:8]}{dot}{extension}"


def superseded(action: Action, state: str) -> Result:
    """Return the result of an action whose source has changed since it was planned.

    Args:
        action: the action.
        state: what was copied, in words for the reason.
    """
    reason = f"the source has changed since it was listed; source kept; {state}"
    return Result(action, Outcome.SUPERSEDED, reason)


def overwritten(action: Action) -> Result:
    """Return the result of an action whose copy was overwritten before it was verified."""
    reason = "the copy was overwritten before it could be verified; source kept"
    return Result(action, Outcome.CONFLICT, reason)


def _may_be_newer(there: S3Object, action: Action) -> bool:
    """Tell whether the destination may be newer than the version that was named.

    A copy of a later version was written after that version, so also after this one. Times have
    a resolution of one second.
    """
    item = action.object
    if item.version_id is None or there.etag == action.follows:
        return False
    return there.last_modified >= item.last_modified
