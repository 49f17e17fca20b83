import hashlib
import inspect
import os
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy.table import QTable

from skydex.archive import Archive, QueryRequest
from skydex.connection import ResultTable
from skydex.demo import SIZES, building
from skydex.demo.building import build_demo
from skydex.demo.catalogs import CATALOGS
from skydex.demo.collections import COLLECTIONS
from skydex.demo.examples import EXAMPLES
from skydex.demo.guest import GUEST, GUEST_PASSWORD, add_guest
from skydex.demo.page import Told, write_page
from skydex.demo.record import Record, steps_in
from skydex.demo.workflows import CLUSTER, HUBBLE, WORKFLOWS
from skydex.errors import StoreError
from skydex.settings import load_settings
from skydex.store import ArchiveDirectory, verify


def tables_of(archive):
    return {table.name: table for table in archive.tables() if table.schema_name != "TAP_SCHEMA"}


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory):
    """What a run of the demonstration leaves behind, in a process with one thread for products of matrices."""
    where = tmp_path_factory.mktemp("run")
    options = ["--out", "demo-output", "--once", "--port", "0", "--size", "tiny"]
    command = [sys.executable, "-m", "skydex", "demo", "run", *options]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as servers have it, and the fixture `simulated` has not
    ran = subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return where / "demo-output"


def test_every_simulated_table_says_so(simulated):
    tables = tables_of(Archive.open(simulated))
    assert set(COLLECTIONS) < {table.schema_name for table in tables.values()}
    real = {name for name, table in tables.items() if not table.description.startswith("SIMULATED")}
    assert real == {"demo.named_objects", "demo.printed_rows", "hsc.SpecCat", "ivoa.obscore"}


def test_rows_and_columns_that_were_printed_are_in_their_tables(simulated):
    archive = Archive.open(simulated)
    tables = tables_of(archive)
    printed = archive.query(QueryRequest("SELECT * FROM demo.printed_rows")).to_arrow().to_pylist()
    kinds = {(row["table_name"], row["id_column"], row["columns"]) for row in printed}
    for name, identifier, columns in kinds:
        assert {identifier, *columns.replace("*", identifier).split()} <= {one.name for one in tables[name].columns}
        found = archive.query(QueryRequest(f"SELECT {identifier} FROM {name}")).to_arrow()[0].to_pylist()
        wanted = {row["id_value"] for row in printed if (row["table_name"], row["id_column"]) == (name, identifier)}
        assert wanted <= {str(value) for value in found}, name


def check_examples(archive):
    """Every example of a published table is shown, and every one that is shown has rows."""
    shown = [ready for schema in (None, *archive.schemas()[1:]) for ready in archive.examples(schema and schema.name)]
    for ready in shown:
        assert archive.query(QueryRequest(ready.example.query)).to_arrow().num_rows > 0, ready.example.name
    wanted = {example["name"] for name in tables_of(archive) for example in EXAMPLES.get(name, ())}
    assert shown
    assert wanted <= {ready.example.name for ready in shown}


def test_every_example_of_the_simulated_sky_runs(simulated):
    check_examples(Archive.open(simulated))


def test_a_demonstration_offers_every_way_of_uploading(simulated):
    assert load_settings(simulated, environ={}).upload_from_uri


def hashes_of(archive):
    """What the tables of an archive are made of: hashes, by the folder of a table and the name of a file."""
    files = [*(archive / "truth").rglob("*.parquet"), *archive.rglob("Npix=*.parquet")]
    places = [(*file.relative_to(archive).parts[:2], file.name) for file in files]
    return sorted(
        (*place, hashlib.sha256(file.read_bytes()).hexdigest()) for place, file in zip(places, files, strict=True)
    )


def test_same_seed_gives_the_same_sky(simulated, demonstrated):
    assert len(hashes_of(simulated)) > 20
    assert hashes_of(simulated) == hashes_of(demonstrated / "archive")


def test_what_was_built_is_whole(simulated):
    directory = ArchiveDirectory(simulated)
    for table in directory.tables():
        assert verify(directory.open(table.name)) == [], table.name


def test_second_build_leaves_the_archive_as_it_is(simulated, capsys):
    before = (simulated / "archive.json").stat().st_mtime_ns
    build_demo(simulated, size=SIZES["tiny"])
    assert (simulated / "archive.json").stat().st_mtime_ns == before
    assert "up to date" in capsys.readouterr().out


def test_unfinished_build_is_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "COLLECTIONS", {})
    where = tmp_path / "archive"
    where.mkdir()
    (where / "demo.json").write_text('{"what": "something else", "complete": false}')
    (where / "left over").write_text("")
    build_demo(where, size=SIZES["tiny"])
    assert not (where / "left over").exists()


def test_other_peoples_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match="not empty"):
        build_demo(tmp_path, size=SIZES["tiny"])
    assert (tmp_path / "thesis.tex").exists()


def test_real_catalogs_are_published_and_answer_the_questions(shared_data, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "COLLECTIONS", {})
    build_demo(tmp_path / "archive", shared_data)
    archive = Archive.open(tmp_path / "archive")
    tables = tables_of(archive)
    assert {catalog.table for catalog in CATALOGS} <= set(tables)
    assert sum(name.startswith("hats.") for name in tables) >= 10
    by_type, amplitudes = (one["query"] for one in EXAMPLES["linear.attributes"])
    by_type = by_type.replace("MIN(", "AVG(Ampl) AS mean_ampl, MIN(")
    classes = archive.query(QueryRequest(by_type)).to_arrow().to_pydict()
    counts = dict(zip(classes["LCtype"], classes["n"], strict=True))
    assert counts == {1: 2612, 2: 864, 4: 342, 5: 2246, 6: 82}  # the header of the file gives these numbers
    assert min(classes["mean_ampl"]) > 0  # the value that stands for "none" must not enter a mean
    joined = archive.query(QueryRequest(f"{amplitudes} AND p.CUF = 1")).to_arrow()
    assert np.min(joined["amplitude"].to_numpy()) > 0
    assert set(joined["LCtype"].to_pylist()) == {1, 2}
    check_examples(archive)


def test_demo_runs_from_nothing_to_figures(demonstrated):
    page = Shown((demonstrated / "index.html").read_text(encoding="utf-8"))
    for workflow in WORKFLOWS:
        assert workflow.question in page.text
        assert len(list(demonstrated.glob(f"figures/{workflow.name}-*.png"))) >= 3
        written = {path.suffix for path in demonstrated.glob(f"tables/{workflow.name}-*")}
        assert written == {".vot", ".csv", ".fits"}
    assert len(QTable.read(demonstrated / "tables/hubble-light-curve.vot")) == 24
    assert len(QTable.read(demonstrated / "tables/chandra-ngc1333.fits")) == 11
    assert len(QTable.read(demonstrated / "tables/variables-nova.csv")) == 21 + 22
    for fact in ("MatchID 80189155, B = 22.451 mag", "MatchID 5742711 in M31", "0 pixels differ", "11 sources with 24"):
        assert fact in page.text


class Shown(HTMLParser):
    """What a page shows and leads to."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.places, self.text = set(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.places += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def test_the_page_leads_to_every_file_that_was_written_and_runs_no_script(demonstrated):
    page = Shown((demonstrated / "index.html").read_text(encoding="utf-8"))
    own = {place for place in page.places if not place.startswith(("http://127.0.0.1:", "#", "data:"))}
    assert own == {path.relative_to(demonstrated).as_posix() for path in demonstrated.glob("[tf]*/*")}
    assert "script" not in page.tags
    assert "The sky is simulated" in page.text


def test_the_page_shows_the_lines_that_ran(demonstrated):
    page = Shown((demonstrated / "index.html").read_text(encoding="utf-8"))
    for workflow in WORKFLOWS:
        module = sys.modules[workflow.run.__module__]
        steps = steps_in(module)
        assert len(steps) == inspect.getsource(module).count("record.step(")  # no title twice
        for title, lines in steps.items():
            compile(lines, title, "exec")
            assert title in page.text
            assert lines in page.text
        assert workflow.real in page.text


def test_texts_of_an_archive_are_escaped_in_the_page(tmp_path):
    record = Record(tmp_path, "hubble")
    with record.step("Where they are") as step:
        names = ResultTable({"<script>": ["<b>&</b>"]})
    step.keep_table("names", names)
    step.tell("<i>told</i>")
    page = Shown(write_page(tmp_path, [Told(HUBBLE, record)], url="http://x", size=SIZES["tiny"]).read_text("utf-8"))
    assert not page.tags & {"script", "i"}
    assert "<b>&</b>" in page.text
    assert "<i>told</i>" in page.text


def test_the_guest_of_the_demonstration_may_come_twice(tmp_path):
    ArchiveDirectory.create(tmp_path / "archive")
    for _ in range(2):
        add_guest(tmp_path / "archive")
    user = Archive.open(tmp_path / "archive").accounts.login(GUEST, GUEST_PASSWORD, address="127.0.0.1")
    assert user.name == GUEST


def test_a_real_cluster_is_drawn_where_the_real_catalogues_are(shared_data, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "COLLECTIONS", {})
    monkeypatch.setattr(building, "CATALOGS", CATALOGS[:1])
    build_demo(tmp_path / "archive", shared_data)
    record = Record(tmp_path, CLUSTER.name)
    CLUSTER.run(str(tmp_path / "archive"), record)
    assert (tmp_path / "figures/cluster-colours.png").stat().st_size > 10_000
