"""Two figures of the demonstration: a colour-magnitude diagram, and one of variable stars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.demo.questions import Questions

if TYPE_CHECKING:
    from astropy.table import Table

    from skydex.demo.workflow import Answers

__all__ = ["draw_figures"]


def draw_figures(answers: Answers, questions: Questions, folder: Path) -> None:
    """Draw the answers, each figure as a PNG in a folder."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("colour_magnitude", _colour_magnitude), (questions.diagram.name, _diagram)):
        figure, axes = pyplot.subplots(figsize=(5.5, 5.5), layout="constrained")
        draw(axes, answers, questions)
        figure.savefig(folder / f"{name}.png", dpi=120)
        pyplot.close(figure)
        print(f"  {folder / name}.png", flush=True)


def _colour_magnitude(axes: Any, answers: Answers, questions: Questions) -> None:
    blue, *red = (_values(answers.cone, column) for column in questions.colour)
    colour = blue - red[0] if red else blue
    axes.plot(colour, _values(answers.cone, questions.magnitude), "k.", markersize=2, alpha=0.6)
    axes.invert_yaxis()
    axes.set(xlabel=questions.labels[0], ylabel=questions.labels[1], title=questions.sky.partition(";")[0])


def _diagram(axes: Any, answers: Answers, questions: Questions) -> None:
    diagram = questions.diagram
    abscissa, ordinate, kind_of = diagram.columns
    kinds = np.asarray(answers.join[kind_of]).astype(str)
    for kind, marker in zip(sorted(set(kinds)), ("o", "^", "s"), strict=False):
        of_kind = answers.join[kinds == kind]
        label = f"{diagram.kinds.get(kind, kind)} ({len(of_kind):,})"
        size, alpha = (2.5, 0.4) if len(of_kind) > 100 else (6, 0.9)
        axes.plot(_values(of_kind, abscissa), _values(of_kind, ordinate), marker, ms=size, alpha=alpha, label=label)
    if diagram.is_magnitude:
        axes.invert_yaxis()
    axes.legend(frameon=False)
    title = questions.sky.partition(";")[2] or questions.sky
    axes.set(xlabel=diagram.labels[0], ylabel=diagram.labels[1], title=title)


def _values(table: Table, name: str) -> np.ndarray:
    """A column as floats, NaN where there is no value."""
    return np.ma.filled(np.ma.asarray(table[name], dtype=float), np.nan)
