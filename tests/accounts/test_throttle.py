"""Guessing is slowed down, and what is slowed down is the guesser."""

from __future__ import annotations

import pytest

from skydex.accounts.throttle import Throttle, network_of
from skydex.errors import ThrottledError


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle("guesses", 3, first_s=2.0, most_s=60.0, forgotten_s=100.0, clock=clock)


def wait_of(throttle, key="a"):
    try:
        throttle.check(key)
    except ThrottledError as error:
        return error.retry_after_s
    return 0


def test_some_are_free_and_then_each_wait_is_twice_the_last_up_to_a_limit(throttle, clock):
    waits = []
    for _ in range(10):
        throttle.count("a")
        waits.append(wait_of(throttle))
        clock.now += waits[-1]
    assert waits[:4] == [0, 0, 2, 4]
    assert waits == sorted(waits)
    assert waits[-1] == 60


def test_others_do_not_wait(throttle):
    for _ in range(9):
        throttle.count("a")
    assert wait_of(throttle, "b") == 0


def test_after_a_while_all_is_forgotten(throttle, clock):
    for _ in range(9):
        throttle.count("a")
    clock.now += 1000
    throttle.count("a")
    assert wait_of(throttle) == 0


def test_a_program_that_tries_for_ever_does_not_block_its_address_for_ever(clock):
    of_pair = Throttle("guesses", 5, first_s=2.0, most_s=900.0, forgotten_s=600.0, clock=clock)
    of_address = Throttle("guesses", 30, first_s=2.0, most_s=900.0, forgotten_s=60.0, clock=clock)
    n_guesses = blocked_s = 0
    for _ in range(24 * 3600):
        clock.now += 1
        blocked_s += wait_of(of_address) > 0
        if not wait_of(of_pair) and not wait_of(of_address):
            of_pair.count("a")
            of_address.count("a")
            n_guesses += 1
    assert n_guesses < 200
    assert blocked_s == 0


def test_what_is_kept_is_bounded(throttle):
    for i in range(20_000):
        throttle.count(str(i))
    assert len(throttle._tallies) <= 10_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("somebody", "somebody"),
    ],
)
def test_in_ipv6_everybody_has_many_addresses(address, network):
    assert network_of(address) == network
