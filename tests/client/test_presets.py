"""Archives that are known by name."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from skydex.client.presets import find_preset, get_preset, preset_names
from skydex.errors import BadParameterError, UnknownResourceError, UnknownTableError

HSC = get_preset("mast-hsc")


def test_every_preset_of_a_real_service_is_reached_securely():
    for name in set(preset_names()) - {"skydex"}:
        for address in get_preset(name).services.values():
            assert urlsplit(address).scheme == "https", f"{name}: {address}"


def test_the_presets_of_the_five_workflows_are_there():
    assert {"mast-hsc", "mast-casjobs", "ps1-tap", "mast-psf", "csc21", "panstarrs"} <= set(preset_names())


def test_a_preset_that_is_moved_keeps_the_paths_of_its_services():
    moved = HSC.moved("http://127.0.0.1:8642/")
    assert moved.services["catalog"] == "http://127.0.0.1:8642/api/v0.1/hsc"
    assert moved.services["fitscut"] == "http://127.0.0.1:8642/cgi-bin/fitscut.cgi"
    assert list(moved.services) == list(HSC.services)


def test_a_preset_can_be_moved_below_a_path():
    assert HSC.moved("https://a.example/sky").services["catalog"] == "https://a.example/sky/api/v0.1/hsc"


@pytest.mark.parametrize("at", ["", "here", "file:///etc", "//host"])
def test_a_preset_is_moved_to_addresses_of_the_web_alone(at):
    with pytest.raises(BadParameterError, match=r"http://127\.0\.0\.1:8642"):
        HSC.moved(at)


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("summary", "v3/summary/magaper2"),
        ("Summary", "v3/summary/magaper2"),
        ("summary/magauto", "v3/summary/magauto"),
        ("v2/summary", "v2/summary/magaper2"),
        ("v2/summary/magauto", "v2/summary/magauto"),
        ("detailed", "v3/detailed"),
        ("hcv", "v3/hcv"),
        ("hsc/v3/detailed", "v3/detailed"),
    ],
)
def test_words_for_tables_follow_release_and_photometry(word, path):
    assert HSC.table_path(word) == path


def test_options_change_what_a_word_means():
    assert HSC.chosen(release="v2", magtype="magauto").table_path("summary") == "v2/summary/magauto"


def test_every_name_that_is_shown_is_understood_and_means_something_else():
    names = list(HSC.table_names())
    assert len({HSC.table_path(name) for name in names}) == len(names) == 10
    assert names[0] == "summary"


def test_an_option_that_is_none_names_the_legal_ones():
    with pytest.raises(BadParameterError, match="v3, v2"):
        HSC.chosen(release="v9")
    with pytest.raises(BadParameterError, match="magaper2, magauto"):
        HSC.chosen(magtype="total")
    with pytest.raises(BadParameterError, match="no option of csc21"):
        get_preset("csc21").chosen(release="v2")


def test_a_table_that_a_release_has_not_is_told_with_those_that_it_has():
    with pytest.raises(UnknownTableError, match="summary"):
        HSC.table_path("v2/propermotions")
    with pytest.raises(UnknownTableError, match="detailed"):
        HSC.table_path("detailled")


def test_databases_are_known_by_detector_and_by_service():
    preset = get_preset("mast-psf")
    assert preset.database("uvis") == "Mast.Catalogs.Filtered.Wfc3Psf.Uvis"
    assert preset.database("Mast.Catalogs.Filtered.Wfpc2Psf.Uvis") == preset.database("WFPC2")
    with pytest.raises(UnknownTableError, match="UVIS"):
        preset.database("ACS")


def test_an_unknown_preset_is_none_and_near_ones_are_told():
    assert find_preset("no-such-thing") is None
    with pytest.raises(UnknownResourceError, match="mast-hsc"):
        get_preset("mast-hs")
