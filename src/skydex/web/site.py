"""`Site`: what the services of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from skydex.accounts import Accounts
from skydex.archive import Archive
from skydex.settings import Settings
from skydex.web.dispatch import Dispatcher
from skydex.web.door import Door
from skydex.web.encodings import LEAST_ROOM
from skydex.web.fetch import Fetcher
from skydex.web.folders import Folders
from skydex.web.forwarding import Forwarder
from skydex.web.intake import Intake
from skydex.web.kept_answers import Documents, KeptAnswers
from skydex.web.runner import Runner

__all__ = ["Site"]


@dataclass(frozen=True)
class Site:
    """One archive on the web."""

    archive: Archive
    """What is published, as far as descriptions go; rows are read by the workers."""
    settings: Settings
    """The operator's choices."""
    dispatcher: Dispatcher
    """Who answers queries."""
    runner: Runner
    """Who has jobs done."""
    folders: Folders = field(default_factory=Folders)
    """Where files that come with requests are kept while these are answered."""
    intake: Intake = field(default_factory=lambda: Intake(Settings().uploads_mb))
    """What counts the files that are being received."""
    fetcher: Fetcher | None = None
    """Who fetches files that requests name by their address; None where nothing is fetched."""
    door: Door = field(default_factory=Door)
    """Where passwords are compared."""
    forwarder: Forwarder | None = None
    """Who asks elsewhere for names that nobody knows here; None where nobody does."""

    answers: KeptAnswers = field(default_factory=KeptAnswers)
    """Answers that need not be worked out again."""
    documents: Documents = field(default_factory=Documents)
    """Documents that were sent last."""
    files: Documents = field(default_factory=lambda: Documents(LEAST_ROOM))
    """Files that are the same as long as this server runs."""

    @property
    def accounts(self) -> Accounts:
        """Who may log in."""
        return self.archive.accounts

    @property
    def url(self) -> str:
        """Public address, without a slash at the end; from the settings, never from a request."""
        return self.settings.public_url
