"""What another resolver answered is kept for a while, and its file is never a reason to fail."""

from __future__ import annotations

import sqlite3
import time

import pytest

from skydex.names import NamedObject, NameMemory

CRAB = NamedObject("M 1", 83.6324, 22.0174, "Sesame", "SIMBAD", "SNR", ("M 1", "Crab Nebula"))


@pytest.fixture
def memory(tmp_path):
    return NameMemory(tmp_path / "state" / "names.sqlite", n_kept=3, days=30)


def age(memory, days):
    with sqlite3.connect(memory._file) as database:
        database.execute("UPDATE names SET asked = ?", [time.time() - days * 86400])


def test_an_answer_is_recalled_however_its_name_is_spelled(memory):
    assert memory.find("M 1") is None
    memory.keep("M 1", [CRAB])
    assert memory.find("m1") == memory.find("Messier 1") == (CRAB,)
    assert NameMemory(memory._file, n_kept=3, days=30).find("M1") == (CRAB,)


def test_that_a_name_is_unknown_is_kept_for_a_day_only(memory):
    memory.keep("nothing", [])
    assert memory.find("nothing") == ()
    age(memory, 2)
    assert memory.find("nothing") is None


def test_an_old_answer_is_not_recalled(memory):
    memory.keep("M 1", [CRAB])
    age(memory, 29)
    assert memory.find("M 1") == (CRAB,)
    age(memory, 31)
    assert memory.find("M 1") is None


def test_the_oldest_answers_are_forgotten_if_there_are_too_many(memory):
    for number in range(5):
        memory.keep(f"N {number}", [CRAB])
    assert [memory.find(f"N {number}") is not None for number in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_a_damaged_file_is_as_good_as_none(memory, content):
    memory._file.parent.mkdir()
    memory._file.write_bytes(content)
    assert memory.find("M 1") is None
    memory.keep("M 1", [CRAB])


def test_a_file_that_cannot_be_written_is_as_good_as_none(tmp_path):
    (tmp_path / "file").write_text("")
    memory = NameMemory(tmp_path / "file" / "names.sqlite", n_kept=3, days=1)
    memory.keep("M 1", [CRAB])
    assert memory.find("M 1") is None


def test_strange_names_are_names(memory):
    for name in ("\ud800", "'; DROP TABLE names; --", "\x00"):
        memory.keep(name, [CRAB])
        assert memory.find(name) == (CRAB,)
