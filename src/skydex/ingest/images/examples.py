"""Queries that show what the tables of images are good for."""

from __future__ import annotations

from skydex.tables import OBSCORE, Example

__all__ = ["examples_of_images", "examples_of_obscore"]


def examples_of_images(collection: str) -> tuple[Example, ...]:
    """What to ask of the images of a collection."""
    images, cards = f"{collection}.images", f"{collection}.image_cards"
    return (
        Example(
            f"Filters of {images}",
            "SELECT filter, COUNT(*) AS n_images, MIN(t_min) AS earliest, MAX(t_max) AS latest\n"
            f"FROM {images}\nGROUP BY filter\nORDER BY n_images DESC",
            "How many images there are in each filter, and when they were taken (MJD).",
        ),
        Example(
            f"Headers of {images}",
            f"SELECT TOP 100 i.name, i.hdu, c.number AS seconds, c.comment\nFROM {images} AS i\n"
            f"JOIN {cards} AS c USING (obs_publisher_did)\n"
            "WHERE c.keyword IN ('EXPTIME', 'EXPOSURE')\nORDER BY seconds DESC",
            "How long each was exposed, by its header. The column number has values as numbers, so that they compare.",
        ),
    )


def examples_of_obscore(place: tuple[float, float] | None) -> tuple[Example, ...]:
    """What to ask of the images of all collections; `place` is one that some of them show, if that is known."""
    counted = Example(
        "Images by instrument",
        "SELECT obs_collection, instrument_name, COUNT(*) AS n_images, SUM(t_exptime) AS exposure\n"
        f"FROM {OBSCORE}\nGROUP BY obs_collection, instrument_name\nORDER BY n_images DESC",
        "What there is: images and seconds of exposure of each collection and instrument.",
    )
    coloured = Example(
        "Images in red light",
        f"SELECT TOP 100 obs_id, instrument_name, em_min, em_max, t_exptime, access_url\nFROM {OBSCORE}\n"
        "WHERE em_min < 650e-9 AND em_max > 650e-9 AND dataproduct_type = 'image'\nORDER BY t_exptime DESC",
        "Those whose passband holds 650 nm, the longest exposures first.",
    )
    if place is None:
        return counted, coloured
    ra, dec = (round(value, 4) for value in place)
    shown = Example(
        "Images that show a place",
        f"SELECT TOP 100 obs_id, instrument_name, t_min, t_exptime, access_url\nFROM {OBSCORE}\n"
        f"WHERE 1 = CONTAINS(POINT('ICRS', {ra}, {dec}), s_region)\nORDER BY t_min",
        "By their outlines, in the order in which they were taken.",
    )
    return shown, counted, coloured
