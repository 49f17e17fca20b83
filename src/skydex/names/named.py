"""`NamedObject`: what is known of an object that has a name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NamedObject"]


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object on the sky, and where somebody says that it is."""

    name: str
    """As its source writes it."""
    ra_deg: float
    """ICRS, epoch 2000."""
    dec_deg: float
    """ICRS, epoch 2000."""
    source: str
    """The list or table in which it stands."""
    authority: str = ""
    """Whose answer the position is, such as SIMBAD or NED, where the source tells."""
    object_type: str = ""
    """A short word such as `G` for a galaxy."""
    aliases: tuple[str, ...] = ()
    """All names under which it is found."""
    major_axis_deg: float | None = None
    """Its extent, full length."""
    minor_axis_deg: float | None = None
    """Its extent across."""
    position_angle_deg: float | None = None
    """From north through east."""
    radius_deg: float | None = None
    """A radius that was asked for along with a position."""
