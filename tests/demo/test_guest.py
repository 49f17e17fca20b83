from skydex.archive import Archive
from skydex.demo.guest import GUEST, GUEST_PASSWORD, add_guest
from skydex.store import ArchiveDirectory


def test_guest_can_log_in_however_often_the_demonstration_starts(tmp_path):
    ArchiveDirectory.create(tmp_path / "archive")
    add_guest(tmp_path / "archive")
    add_guest(tmp_path / "archive")
    accounts = Archive.open(tmp_path / "archive").accounts
    assert accounts.login(GUEST, GUEST_PASSWORD, address="127.0.0.1").name == GUEST


def test_guest_who_was_sent_away_does_not_come_back(tmp_path):
    ArchiveDirectory.create(tmp_path / "archive")
    add_guest(tmp_path / "archive")
    accounts = Archive.open(tmp_path / "archive").accounts
    accounts.remove(GUEST)
    add_guest(tmp_path / "archive")
    assert accounts.find(GUEST) is None
