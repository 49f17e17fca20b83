"""The demonstration: `skydex demo build`, `skydex demo run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(name="demo", help="A demonstration archive, built, served and used.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Real catalogues to publish beside the simulated sky.")]

SizeText = Annotated[str, typer.Option("--size", metavar="SIZE", help="tiny, demo, seed, or a number of rows.")]


@app.command()
def build(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the archive goes.")],
    data: Data = None,
    *,
    size: SizeText = "demo",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same sky.")] = 1,
) -> None:
    """Build the demonstration archive.

    The size `seed` has as many rows as the archives that are imitated showed in public: 407,806 Chandra sources, for
    example.

    **Example**: `skydex demo build --size demo --out demo-archive`, then `skydex serve demo-archive`
    """
    from skydex.demo import parse_size
    from skydex.demo.building import build_demo

    build_demo(out, data, size=parse_size(size), seed=seed)


@app.command()
def run(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where archive, tables and figures go.")],
    data: Data = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop when the work is done, instead of serving on.")] = False,
    port: Annotated[int | None, typer.Option(help="TCP port of the server; any free one if it is taken.")] = None,
    size: SizeText = "demo",
) -> None:
    """Build the archive, serve it, ask it over the network what five published notebooks ask, and go on serving it.

    Tables and figures of the answers are written beside the archive, with a page that shows them: `index.html`. Needs
    `pip install 'skydex[demo]'`.

    **Example**: `skydex demo run --out demo-output`
    """
    from skydex.demo import parse_size
    from skydex.demo.running import run_demo

    run_demo(out, data, once=once, port=port, size=parse_size(size))
