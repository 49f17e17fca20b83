"""Parameters as DALI reads them, and the one table of errors."""

from __future__ import annotations

import inspect

import pytest

from skydex import errors
from skydex.errors import BadParameterError, BodyTooLargeError, BusyError, EngineError, SkydexError, TimeLimitError
from skydex.settings import Settings
from skydex.web import dali


def parameters_of(text):
    return dali.Parameters(dali.parse_pairs(text))


def test_names_have_no_case_and_values_may_repeat():
    parameters = parameters_of(b"Band=g&BAND=r&ra=1")
    assert list(parameters.values("band")) == ["g", "r"]
    assert parameters.find("RA") == "1"


def test_one_value_given_twice_is_one_but_two_values_are_an_error():
    assert parameters_of(b"LANG=ADQL&lang=ADQL").find("LANG") == "ADQL"
    with pytest.raises(BadParameterError, match="LANG"):
        parameters_of(b"LANG=ADQL&lang=PQL").find("LANG")


def test_an_empty_value_counts_as_none():
    assert parameters_of(b"QUERY=&X").find("QUERY") is None


def test_the_standard_name_wins_over_its_alias():
    parameters = parameters_of(b"FORMAT=csv&RESPONSEFORMAT=fits")
    assert parameters.find("RESPONSEFORMAT", "FORMAT") == "fits"
    assert parameters_of(b"format=csv").find("RESPONSEFORMAT", "FORMAT") == "csv"


def test_too_many_parameters_are_refused():
    with pytest.raises(BadParameterError, match="1000"):
        dali.parse_pairs(b"a=1&" * 1001)


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "1e2", "1.E-3", " 2 "])
def test_numbers_are_read_as_people_write_them(text):
    parameters = dali.Parameters([("RA", text)])
    assert parameters.get_number("RA", least=-10, most=1000) == float(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x10", "١", "1,5", "1 2", "1e99999", "--1", "abc"])
def test_what_is_no_number_within_bounds_is_refused_by_name(text):
    with pytest.raises(BadParameterError, match="RA"):
        dali.Parameters([("RA", text)]).get_number("RA", least=0, most=360)


@pytest.mark.parametrize(
    ("text", "n_rows"), [(None, 100), ("0", 0), ("5", 5), ("+7", 7), ("1000", 1000), ("9" * 200, 1000), ("", 100)]
)
def test_r06_maxrec_never_exceeds_the_hard_limit(text, n_rows):
    settings = Settings(max_rows_default=100, max_rows_hard=1000)
    given = [] if text is None else [("maxrec", text)]
    assert dali.row_limit(dali.Parameters(given), settings) == n_rows


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "1e3", "9" * 400, "∞"])
def test_r06_a_maxrec_that_is_no_count_is_refused(text):
    with pytest.raises(BadParameterError, match="MAXREC"):
        dali.row_limit(dali.Parameters([("MAXREC", text)]), Settings())


def test_every_error_class_has_a_status():
    of_asker = (400, 401, 403, 404, 409, 413, 429, 503)
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SkydexError)]
    for kind in kinds:
        is_ours = issubclass(kind, errors.ServiceError) or kind is SkydexError
        assert dali.error_status(kind.__new__(kind)) in ((500, 503) if is_ours else of_asker)


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (BadParameterError("RA", "is missing."), 400, "UsageError"),
        (BodyTooLargeError(4), 413, "UsageError"),
        (TimeLimitError(60), 400, "UsageError"),
        (BusyError(7), 503, "ServiceUnavailable"),
        (EngineError("It failed."), 500, "Error"),
    ],
)
def test_errors_go_out_with_their_status_and_word(error, status, word):
    assert dali.error_status(error) == status
    assert dali.error_text(error).decode().startswith(f"{word}: ")


def test_who_is_told_to_come_back_is_told_when():
    assert dali.error_headers(BusyError(7)) == ((b"retry-after", b"7"),)
    assert dali.error_headers(EngineError("x")) == ()


def test_a_message_is_cut_to_a_moderate_length_and_is_always_utf8():
    error = BadParameterError("Q", "\ud800" + "x" * 10_000)
    assert len(dali.error_text(error)) < 2200
    dali.error_text(error).decode()
