"""The view for notebooks in a browser without a notebook: it is given what Python sends, and says what is chosen."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
import pytest

from skydex.connection import result_table
from skydex.connection.arrow_columns import result_of
from skydex.notebook import linked_view
from skydex.tables import Column, Datatype, Position, Table

MODEL = """([script, state, bytes]) => {
    const told = {}, values = {...state};
    for (const [name, text] of Object.entries(bytes))
        values[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    window.saved = 0;
    window.model = {
        get: (name) => values[name],
        set: (name, value) => { values[name] = value; for (const f of told[`change:${name}`] ?? []) f(); },
        save_changes: () => { window.saved += 1; },
        on: (event, f) => { (told[event] ??= []).push(f); },
        off: (event, f) => { told[event] = (told[event] ?? []).filter((one) => one !== f); },
    };
    window.places = (name) => [...new Uint32Array(values[name].buffer)];
    const module = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    return import(module).then(({default: widget}) => {
        window.end = widget.render({model: window.model, el: document.querySelector("#cell")});
    });
}"""
"""As much of a model as anywidget gives to a view."""


@pytest.fixture
def cell(chromium, scripts):
    """A page that is nothing but a cell, in which no request may be made and nothing complained of."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content("<!doctype html><body data-jp-theme-light='false'><div id='cell'></div></body>")
    yield page
    context.close()
    assert [url for url in asked if not url.startswith("blob:")] == []
    assert errors == []


def test_points_that_are_chosen_in_a_cell_are_those_that_numpy_finds(cell):
    rng = np.random.default_rng(9)
    corner = rng.integers(0, 4, 1000)
    values = {"id": np.arange(1000), "ra": rng.uniform(10.0, 10.1, 1000), "dec": rng.uniform(-0.1, 0.0, 1000)}
    values |= {"a": corner % 2 + rng.uniform(0, 0.4, 1000), "b": corner // 2 + rng.uniform(0, 0.4, 1000)}
    columns = [Column(name, Datatype.DOUBLE if name != "id" else Datatype.LONG) for name in values]
    table = Table("some.corners", tuple(columns), position=Position("ra", "dec"), id_column="id")
    rows = pa.table(values)
    view = linked_view(table, rows, result_table(result_of(rows)), axes={"x": "a", "y": "b"})

    state = view.get_state()
    sent = {name: value for name, value in state.items() if isinstance(value, bytes)}
    facts = {name: state[name] for name in ("_facts", "x", "y", "color")}
    encoded = {name: base64.b64encode(value).decode() for name, value in sent.items()}
    cell.evaluate(MODEL, [state["_esm"], facts, encoded])
    cell.wait_for_selector("#cell > [data-state=ready][data-theme=dark]")

    box = cell.locator(".points").first.bounding_box()
    places = [(0.02, 0.98), (0.02, 0.5), (0.5, 0.5), (0.5, 0.98), (0.04, 0.98)]  # where `a` and `b` are small
    across, down = ([box[side] + part * box[size] for part in parts] for side, size, parts in zip(
        ("x", "y"), ("width", "height"), zip(*places, strict=True), strict=True
    ))  # fmt: skip
    cell.keyboard.down("Shift")  # which chooses at once, while a button would do so a frame later
    cell.mouse.move(across[0], down[0])
    cell.mouse.down()
    for x, y in zip(across[1:], down[1:], strict=True):
        cell.mouse.move(x, y, steps=6)
    cell.mouse.up()
    cell.keyboard.up("Shift")
    cell.wait_for_function("() => window.saved > 0")
    expected = np.flatnonzero((values["a"] < 0.7) & (values["b"] < 0.7))
    chosen = cell.evaluate("() => window.places('indices')")
    assert chosen == expected.tolist()
    assert cell.locator(".grid table").get_attribute("aria-rowcount") == str(len(expected) + 1)

    view.set_state({"indices": memoryview(np.array(chosen, "<u4").tobytes())})
    assert view.selection["id"].tolist() == expected.tolist()
    cell.evaluate("() => window.model.set('indices', new DataView(Uint32Array.from([7, 8]).buffer))")  # as Python would
    cell.get_by_text("2 of 1,000 rows chosen").wait_for()
    cell.evaluate("() => window.end()")
    assert cell.locator("#cell > *").count() == 0
