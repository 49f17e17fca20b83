"""Who may log in: users with their passwords, tokens and groups, in one file; knows no HTTP and no query."""

from skydex.accounts.accounts import ACCOUNTS_FILE, Accounts
from skydex.accounts.token import Token
from skydex.accounts.user import User

__all__ = ["ACCOUNTS_FILE", "Accounts", "Token", "User"]
