"""What a skydex server gives beyond the standards: light curves of many objects at once."""

from __future__ import annotations

import io
from urllib.parse import quote

import pyarrow as pa

from skydex.client.asking import answered_table
from skydex.client.http import Web
from skydex.client.orders import CurvesOrder
from skydex.client.presets import Preset
from skydex.tables import Result

__all__ = ["Looks"]

_ARROW = "application/vnd.apache.arrow.stream"


class Looks:
    """The services below `/look` of a skydex server."""

    def __init__(self, preset: Preset, web: Web) -> None:
        self._address, self._web = preset.services["look"].rstrip("/"), web

    def curves(self, order: CurvesOrder) -> Result:
        """Measurements of objects over time."""
        url = f"{self._address}/lightcurves/{quote(order.table)}"
        form: dict[str, object] = {"format": "arrow", "form": "flat", "radius": repr(order.radius_deg * 3600.0)}
        files = {"file": ("objects.arrow", _arrow(order), _ARROW)}
        return answered_table(self._web, "POST", url, form=form, files=files)


def _arrow(order: CurvesOrder) -> bytes:
    """What is asked for, as a table."""
    if order.places:
        rows = pa.table({"ra": [ra for ra, _ in order.places], "dec": [dec for _, dec in order.places]})
    else:
        rows = pa.table({"object_id": list(order.ids)})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    return stream.getvalue()
