"""Askers take turns, and each one's own things keep their order."""

from __future__ import annotations

from skydex.jobs import Turns


def drained(turns):
    things = []
    while (thing := turns.next()) is not None:
        things.append(thing)
    return things


def test_somebody_with_many_things_delays_others_by_one():
    turns = Turns()
    for number in range(1000):
        turns.join("many", f"many {number}")
    turns.join("one", "one")
    assert [turns.next() for _ in range(3)] == ["many 0", "one", "many 1"]
    assert len(turns) == 998


def test_things_of_one_asker_keep_their_order():
    turns = Turns()
    for number in range(5):
        turns.join("a", number + 1)
    assert drained(turns) == [1, 2, 3, 4, 5]


def test_who_may_not_have_a_turn_yet_keeps_the_place():
    turns = Turns()
    for asker in ("a", "a", "b"):
        turns.join(asker, f"of {asker}")
    assert turns.next(lambda thing: thing != "of a") == "of b"
    assert turns.next(lambda thing: thing != "of a") is None
    assert drained(turns) == ["of a", "of a"]


def test_a_thing_that_must_wait_lets_those_behind_it_pass():
    turns = Turns()
    for thing in ("long 1", "long 2", "short"):
        turns.join("a", thing)
    turns.join("b", "of b")
    assert turns.next(lambda thing: "long" not in thing) == "short"
    assert drained(turns) == ["of b", "long 1", "long 2"]


def test_what_has_left_has_no_turn():
    turns = Turns()
    turns.join("a", "first")
    turns.join("a", "second")
    turns.leave("a", "first")
    turns.leave("a", "never there")
    turns.leave("nobody", "first")
    assert drained(turns) == ["second"]
