"""With whom a user may share a table: other users, and groups that she is in herself."""

from __future__ import annotations

from collections.abc import Iterable

from skydex.accounts import Accounts
from skydex.errors import BadParameterError, UnknownGroupError

__all__ = ["readers"]


def readers(
    accounts: Accounts, owner: str, *, users: Iterable[str], groups: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Users and groups as they are spelled.

    A group that the owner is not in, and one that there is not, give the same error.

    Raises
    ------
    UnknownUserError, UnknownGroupError
        One of them is not there.
    BadParameterError
        Nobody is named.
    """
    own = {group.lower(): group for group in accounts.get(owner).groups}
    asked = tuple(groups)
    for group in asked:
        if group.lower() not in own:
            raise UnknownGroupError(group)
    found = tuple(accounts.get(name).name for name in users)
    if not found and not asked:
        raise BadParameterError("users", "and groups are missing: say with whom the table is shared.")
    return found, tuple(own[group.lower()] for group in asked)
