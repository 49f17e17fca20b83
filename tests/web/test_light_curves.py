"""Light curves and periodograms over HTTP, of the simulated surveys: what they are is known to who made them."""

import io

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import ascii
from astropy.io.votable import parse

CURVES, PERIODOGRAM = "/look/lightcurves/ps1.MeanObjectView", "/look/periodogram/ps1.MeanObjectView"
KQ_UMA = 190361393344112894
NOVA = "/look/lightcurves/hcv.HCVmatch"


@pytest.fixture(scope="module")
def sky(simulated):
    import serving

    with (
        serving.serving(simulated, light_curves=50, periodogram_frequencies=200_000) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def _rows(document):
    names = [column["name"] for column in document["columns"]]
    return [dict(zip(names, row, strict=True)) for row in document["data"]]


def _detections(sky, key):
    query = f"SELECT obsTime, psfFlux, filterID FROM ps1.Detection WHERE objID = {key} ORDER BY obsTime"
    answer = sky.get("/tap/sync", params={"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"})
    return ascii.read(answer.text, format="csv")


def test_a_light_curve_is_what_the_table_of_measurements_has(sky):
    answer = sky.get(CURVES, params={"id": KQ_UMA})
    assert answer.status_code == 200, answer.text
    (curve,) = _rows(answer.json())
    there = _detections(sky, KQ_UMA)
    there = there[there["psfFlux"] != -999]
    np.testing.assert_array_equal(curve["time"], there["obsTime"])
    np.testing.assert_allclose(curve["mag"], -2.5 * np.log10(there["psfFlux"]) + 8.90, rtol=1e-6)
    assert curve["band"] == ["?grizy"[number] for number in there["filterID"]]
    assert answer.json()["infos"] | {"time_scale": "tai", "time_format": "mjd"} == answer.json()["infos"]
    assert (round(curve["ra"], 3), round(curve["dec"], 3)) == (139.334, 68.635)


def test_the_same_measurements_come_by_place_by_number_and_by_table(sky):
    by_number = sky.get(CURVES, params={"id": KQ_UMA}).json()["data"]
    (place,) = _rows(sky.get(CURVES, params={"ra": 139.334453, "dec": 68.635059, "radius": 2}).json())
    assert (place["object_id"], place["asked"], place["distance"] < 1) == (KQ_UMA, 1, True)
    posted = sky.post(CURVES, files={"file": ("mine.csv", f"objID\n{KQ_UMA}\n5\n", "text/csv")})
    assert posted.status_code == 200, posted.text
    assert posted.json()["data"] == by_number
    assert posted.json()["infos"]["unknown"] == "5"
    places = "ra,dec\n139.334453,68.635059\n10,10\n139.334453,68.635059\n"
    posted = sky.post(CURVES, files={"file": ("mine.csv", places, "text/csv")}).json()
    assert [(row["object_id"], row["asked"]) for row in _rows(posted)] == [(KQ_UMA, 1), (KQ_UMA, 3)]
    assert posted["infos"]["unknown"] == "2"
    assert _rows(posted)[1]["time"] == place["time"]


def test_arrow_and_parquet_have_a_row_for_each_object_and_csv_and_votable_one_for_each_measurement(sky):
    asked = {"id": ["1905457", "80189155"], "band": "F606W"}
    (expected,) = (row for row in _rows(sky.get(NOVA, params=asked).json()) if row["object_id"] == 1905457)
    arrow = pa.ipc.open_stream(sky.get(f"{NOVA}.arrow", params=asked).content).read_all()
    parquet = pq.read_table(io.BytesIO(sky.get(NOVA, params={**asked, "format": "parquet"}).content))
    assert arrow.column_names[:5] == ["object_id", "ra", "dec", "time", "band"]
    assert arrow.to_pylist() == parquet.to_pylist()
    assert arrow.field("time").metadata[b"unit"] == b"d"
    nova = next(row for row in arrow.to_pylist() if row["object_id"] == 1905457)
    assert nova == expected
    assert set(nova["band"]) == {"ACS_F606W"}
    flat = sky.get(f"{NOVA}.csv", params=asked).text.splitlines()
    n_points = sum(len(row["time"]) for row in arrow.to_pylist())
    assert len(flat) == 1 + n_points
    assert flat[0].startswith("object_id,ra,dec,time,band,mag,mag_err")
    table = parse(io.BytesIO(sky.get(f"{NOVA}.vot", params=asked).content)).get_first_table()
    assert len(table.array) == n_points
    assert table.get_field_by_id("time").unit.to_string() == "d"
    assert len(_rows(sky.get(NOVA, params={**asked, "form": "flat"}).json())) == n_points


def test_an_object_without_such_measurements_has_empty_lists(sky):
    (curve,) = _rows(sky.get(CURVES, params={"id": KQ_UMA, "band": "u"}).json())
    assert curve["time"] == curve["mag"] == curve["band"] == []
    assert curve["ra"] > 0
    assert sky.get(f"{CURVES}.csv", params={"id": KQ_UMA, "band": "u"}).text.count("\n") == 1
    good, every = (_rows(sky.get(CURVES, params={"id": KQ_UMA, "quality": q}).json())[0] for q in ("good", "all"))
    assert min(good["quality"]) > 0.9 >= min(every["quality"])


@pytest.mark.parametrize(
    ("path", "asked", "words"),
    [
        (CURVES, {}, "id: is missing"),
        (CURVES, {"id": "star"}, "whole number"),
        (CURVES, {"id": 1, "ids": 2}, "Parameter ids: is no parameter here. Did you mean id"),
        (CURVES, {"ra": 5}, "each place needs both"),
        (CURVES, {"ra": 5, "dec": 91}, "from -90 to 90"),
        (CURVES, {"id": list(range(51))}, "over the limit of 50"),
        ("/look/lightcurves/csc21.master_source", {"id": "x"}, "no light curves"),
        (PERIODOGRAM, {"id": [1, 2]}, "must name one object"),
        (PERIODOGRAM, {"id": KQ_UMA, "method": "fourier"}, "sinusoids or boxes"),
        (PERIODOGRAM, {"id": KQ_UMA, "min_period": 0.001}, "200,000 are allowed: ask for periods above"),
        (PERIODOGRAM, {"id": 5}, "no measurements"),
    ],
)
def test_what_cannot_be_is_refused_in_words(sky, path, asked, words):
    answer = sky.get(path, params=asked)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]


def test_a_table_that_is_not_there_is_not_found(sky):
    assert sky.get("/look/lightcurves/ps1.Nothing", params={"id": 1}).status_code == 404


def test_a_periodogram_finds_the_period_of_kq_uma_and_is_kept(sky):
    asked = {"id": KQ_UMA, "min_period": 0.2, "n": 500}
    answer = sky.get(PERIODOGRAM, params=asked)
    document = answer.json()
    infos, rows = document["infos"], np.array(document["data"])
    assert float(infos["period_1"]) == pytest.approx(0.48636, abs=2e-5)
    assert float(infos["false_alarm_1"]) < 1e-9
    assert infos["double_is_better"] == "false"
    assert len(rows) == 500
    assert (np.diff(rows[:, 0]) > 0).all()
    np.testing.assert_allclose(rows[:, 0] * rows[:, 1], 1.0)
    assert rows[:, 2].max() == pytest.approx(float(infos["power_1"]), abs=0.02)
    again = sky.get(PERIODOGRAM, params=asked, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_an_eclipsing_binary_is_told_to_have_twice_the_period(sky):
    asked = {"ra": 286.90445, "dec": 44.00548, "min_period": 0.5}  # KIC 8153568, whose period is 3.6071431 d
    infos = sky.get(PERIODOGRAM, params=asked).json()["infos"]
    assert float(infos["period_1"]) == pytest.approx(3.6071431 / 2, rel=1e-4)
    assert float(infos["double_period"]) == pytest.approx(3.6071431, rel=1e-4)
    assert infos["double_is_better"] == "true"
    assert float(infos["double_delta_bic"]) > 10
