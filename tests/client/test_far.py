"""An archive far away has the verbs that its services allow, and asks the first that can."""

from __future__ import annotations

import pytest

from skydex.client.far import FarDoor, far_door
from skydex.client.http import Web
from skydex.client.orders import NamedPlace
from skydex.client.presets import Preset
from skydex.errors import NotOfferedError


class Names:
    def place(self, name):
        return NamedPlace(1.0, 2.0, name, "first")


class Cones:
    def rows(self, order):
        if order == "with conditions":
            raise NotOfferedError("search", "cones", ["cone"])
        return f"cone of {order}"


class Queries:
    def rows(self, order):
        return f"query of {order}"

    def query(self, order):
        return order


def test_verbs_follow_from_the_services():
    assert FarDoor("x", [Names()]).verbs == {"resolve"}
    assert FarDoor("x", [Names(), Queries()]).verbs == {"resolve", "cone", "search", "light_curve", "query"}


def test_the_first_service_that_can_is_asked():
    door = FarDoor("x", [Cones(), Queries()])
    assert door.rows("stars") == "cone of stars"
    assert door.rows("with conditions") == "query of with conditions"


def test_what_no_service_can_is_not_offered_and_what_is_offered_is_told():
    with pytest.raises(NotOfferedError, match=r"x has no submit\. It can be asked: resolve\."):
        FarDoor("x", [Names()]).submit("q")


def test_the_refusal_of_the_only_service_is_told():
    with pytest.raises(NotOfferedError, match="cones has no search"):
        FarDoor("x", [Cones()]).rows("with conditions")


def test_an_archive_is_composed_in_the_order_of_its_addresses():
    preset = Preset("here", "", {"tap": "http://a/tap", "unheard-of": "http://b", "scs": "http://c"})
    made = []

    def maker(kind):
        return lambda preset, web: made.append((kind, preset.services[kind]))

    far_door(preset, Web(), makers={kind: maker(kind) for kind in ("scs", "tap")})
    assert made == [("tap", "http://a/tap"), ("scs", "http://c")]


def test_a_verb_that_a_service_is_not_able_to_is_not_offered():
    class Circles(Cones):
        unable = frozenset({"search", "light_curve"})

    assert FarDoor("x", [Circles()]).verbs == {"cone"}
    assert FarDoor("x", [Circles(), Queries()]).verbs == {"cone", "search", "light_curve", "query"}
