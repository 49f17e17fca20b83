"""What the scripts of the pages work out, run by node without a browser: tables that pyarrow wrote, points by numpy."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

PAGE = Path(__file__).parents[2] / "page"


@pytest.fixture
def run(tmp_path):
    """What a script says that imports some parts: `run("wire", "console.log(wire.root)")`."""
    bundler = PAGE / "node_modules" / ".bin" / "esbuild"
    if shutil.which("node") is None or not bundler.exists():
        pytest.skip("what bundles scripts is not here (`make page` fetches it)")

    def run(name, script):
        part = PAGE / "src" / "parts" / f"{name}.ts"
        subprocess.run(
            [bundler, part, "--bundle", "--format=esm", "--log-level=error", f"--outfile={tmp_path / name}.mjs"],
            check=True,
        )
        program = f"globalThis.document = {{querySelector: () => null}};\nconst part = await import('./{name}.mjs');\n"
        (tmp_path / "run.mjs").write_text(program + script)
        done = subprocess.run(["node", "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_tables_are_read_as_they_were_written(run, tmp_path):
    times = pa.array([datetime(2011, 3, 4, 5, 6, 7), None, datetime(2011, 3, 4, 5, 6, 7, 250_000)], pa.timestamp("us"))
    words = pa.array(["α Lyr", None, ""])
    batch = pa.table(
        {
            "id": pa.array([2**62 + 1, None, -7], pa.int64()),
            "short": pa.array([1, -2, None], pa.int16()),
            "mag": pa.array([20.5, None, np.nan], pa.float32()),
            "ra": pa.array([1.25, 2.5, 3.75]),
            "time": times,
            "name": words,
            "large": words.cast(pa.large_string()),
            "view": words.cast(pa.string_view()),
            "class": words.dictionary_encode(),
            "good": pa.array([True, None, False]),
            "flux": pa.array([[1.5, 2.5], None, []], pa.list_(pa.float64())),
        }
    ).to_batches()[0]
    schema = batch.schema.with_metadata({"skydex.infos": json.dumps([["n_inside", "6"]])})
    schema = schema.set(3, schema.field(3).with_metadata({"unit": "deg", "ucd": "pos.eq.ra"}))
    with pa.ipc.new_stream(tmp_path / "table.arrow", schema) as writer:
        for one in (batch, batch.slice(2), batch.slice(0, 0)):
            writer.write_batch(pa.RecordBatch.from_arrays(one.columns, schema=schema))
    found = run(
        "wire",
        """
        import { readFileSync } from "node:fs";
        const headers = new Headers({ "x-more-rows": "true" });
        globalThis.fetch = async () => new Response(readFileSync("table.arrow"), { headers });
        const answer = await part.fetchAnswer("");
        const text = (_, value) => (typeof value === "bigint" ? `${value}n` : value);
        const rows = [0, 1, 2, 3].map((row) => answer.columns.map((column) => column.at(row)));
        const numbersOf = (column) => [column.name, [...column.numbers()].map(String)];
        const numbers = Object.fromEntries(answer.columns.map(numbersOf));
        const ra = answer.columns[3];
        const kinds = answer.columns.filter((column) => column.isNumber).map((column) => column.name);
        console.log(JSON.stringify({ ...answer, columns: 0, rows, numbers, ra, kinds }, text));
        """,
    )
    first = [f"{2**62 + 1}n", 1, 20.5, 1.25, "2011-03-04T05:06:07", *["α Lyr"] * 4, True, "1.5 2.5"]
    third = ["-7n", None, None, 3.75, "2011-03-04T05:06:07.250", *[""] * 4, False, ""]
    assert found["rows"] == [first, [None, -2, None, 2.5, *[None] * 7], third, third]
    assert [float(number) for number in found["numbers"]["id"]] == pytest.approx([2.0**62, np.nan, -7, -7], nan_ok=True)
    assert found["numbers"]["short"] == ["1", "-2", "NaN", "NaN"]
    assert found["numbers"]["mag"] == ["20.5", "NaN", "NaN", "NaN"]
    assert found["numbers"]["ra"] == ["1.25", "2.5", "3.75", "3.75"]
    assert found["kinds"] == ["id", "short", "mag", "ra"]
    assert (found["ra"]["unit"], found["ra"]["ucd"]) == ("deg", "pos.eq.ra")
    assert (found["n"], found["infos"], found["overflow"]) == (4, {"n_inside": "6"}, True)


def test_points_within_a_line_and_the_nearest_one_are_found(run):
    random = np.random.default_rng(6)
    x, y = random.uniform(-1, 1, (2, 500)).round(4)
    line = [[-0.9, -0.9], [0.8, -0.7], [-0.1, 0.1], [0.7, 0.9], [-0.8, 0.6]]
    found = run(
        "picking",
        f"""
        const [x, y, line] = {json.dumps([x.tolist(), y.tolist(), line])};
        const nearest = part.nearest(x, y, [0.1, -0.2], [0.5, 0.25]);
        console.log(JSON.stringify([part.inside(x, y, line), nearest, part.nearest(x, y, [3, 3], [1, 1])]));
        """,
    )
    path = pytest.importorskip("matplotlib.path")
    expected = path.Path([*line, line[0]], closed=True).contains_points(np.column_stack([x, y]))
    assert found[0] == np.flatnonzero(expected).tolist()
    assert found[1] == np.argmin(np.hypot((x - 0.1) / 0.5, (y + 0.2) / 0.25))
    assert found[2] == -1


def test_ranks_are_those_of_all_values(run):
    found = run(
        "ranks",
        """
        let seed = 7;
        const next = () => ((seed = (seed * 48271) % 2147483647) / 2147483647);
        const values = Float64Array.from({ length: 100_000 }, (_, i) => (i % 10 ? next() ** 2 : NaN));
        const places = part.placesOf(values);
        const sorted = part.sortedOf(values, places);
        const parts = [0.01, 0.25, 0.81].map((value) => part.rankOf(sorted, value));
        console.log(JSON.stringify([places.length, sorted.length, parts]));
        """,
    )
    assert found[0] == 90_000
    assert found[1] <= 20_000
    assert found[2] == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


def test_a_lonely_object_lies_where_the_field_has_its_middle(run):
    """Which is given with fewer digits: an axis of millionths of an arcsecond would tell nothing."""
    told = run(
        "field",
        "const here = part.fieldOf([139.33445305], [68.63505917], {ra: 139.334453, dec: 68.635059, radius: 0.05});"
        "const near = part.fieldOf([10, 10.001], [0, 0.001], {ra: 10, dec: 0, radius: 0.05});"
        "console.log(JSON.stringify([here, near]));",
    )
    assert [(field["x"], field["y"]) for field in told] == [([0], [0]), ([0, 0.06], [0, 0.06])]
