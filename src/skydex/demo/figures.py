"""Two figures of the demonstration: a colour-magnitude diagram and a period-amplitude diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.demo.questions import Questions

if TYPE_CHECKING:
    from astropy.table import Table

    from skydex.demo.workflow import Answers

__all__ = ["draw_figures"]

_TYPES = {"1": "RR Lyrae ab", "2": "RR Lyrae c", "ab": "RR Lyrae ab", "c": "RR Lyrae c"}


def draw_figures(answers: Answers, questions: Questions, folder: Path) -> None:
    """Draw the answers, each figure as a PNG in a folder."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("colour_magnitude", _colour_magnitude), ("period_amplitude", _period_amplitude)):
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
    axes.set(xlabel="BP - RP [mag]", ylabel="G [mag]", title=questions.sky.partition(";")[0])


def _period_amplitude(axes: Any, answers: Answers, questions: Questions) -> None:
    kinds = np.asarray(answers.join["type"]).astype(str)
    for kind, marker in zip(sorted(set(kinds)), ("o", "^"), strict=False):
        of_kind = answers.join[kinds == kind]
        label = f"{_TYPES.get(kind, kind)} ({len(of_kind):,})"
        axes.plot(_values(of_kind, "log_p"), _values(of_kind, "ampl"), marker, markersize=2.5, alpha=0.4, label=label)
    axes.legend(frameon=False)
    axes.set(xlabel="log10 P [d]", ylabel="amplitude [mag]", title=questions.sky.partition(";")[2] or questions.sky)


def _values(table: Table, name: str) -> np.ndarray:
    """A column as floats, NaN where there is no value."""
    return np.ma.filled(np.ma.asarray(table[name], dtype=float), np.nan)
