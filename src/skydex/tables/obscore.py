"""ObsCore: the columns by which data sets are described and found.

ObsCore 1.1 (IVOA REC 2017-05-09) with its errata 1 and 2: the mandatory columns (tables 5 and 6), and some of the
optional ones (table 7). `dataproduct_type` and the like are what `ivoa.obscore` has, in every service that shows it.
"""

from __future__ import annotations

from skydex.tables.column import Column, Datatype

__all__ = ["OBSCORE", "OBSCORE_COLUMNS", "OBSCORE_MODEL", "OBSCORE_UTYPE"]

OBSCORE = "ivoa.obscore"
"""Name of the table (ObsCore 1.1, section 3)."""
OBSCORE_UTYPE = "ivo://ivoa.net/std/obscore#table-1.1"
"""utype of the table, by which registries find it."""
OBSCORE_MODEL = "ivo://ivoa.net/std/ObsCore#core-1.1"
"""The data model, as a TAP service that has the table declares it (TAPRegExt 1.0, section 2.2)."""

_C, _I, _L, _D = Datatype.CHAR, Datatype.INT, Datatype.LONG, Datatype.DOUBLE
_SPATIAL, _TIME, _SPECTRAL = "Char.SpatialAxis.", "Char.TimeAxis.", "Char.SpectralAxis."


def _column(
    name: str, datatype: Datatype, unit: str, ucd: str, utype: str, description: str, *, xtype: str | None = None
) -> Column:
    return Column(
        name,
        datatype,
        "*" if datatype.is_text else None,
        unit or None,
        ucd,
        f"obscore:{utype}",
        xtype,
        description,
        std=True,
    )


OBSCORE_COLUMNS = (
    _column("dataproduct_type", _C, "", "meta.code.class", "ObsDataset.dataProductType", "Kind of data product"),
    _column("dataproduct_subtype", _C, "", "meta.code.class", "ObsDataset.dataProductSubtype", "Kind, more exactly"),
    _column("calib_level", _I, "", "meta.code;obs.calib", "ObsDataset.calibLevel", "Level of calibration, 0 to 4"),
    _column("obs_collection", _C, "", "meta.id", "DataID.collection", "Collection that the data belong to"),
    _column("obs_id", _C, "", "meta.id", "DataID.observationID", "Identifier of the observation"),
    _column("obs_title", _C, "", "meta.title;obs", "DataID.Title", "What it is, in a few words"),
    _column("obs_publisher_did", _C, "", "meta.ref.ivoid", "Curation.publisherDID", "Identifier of the data set"),
    _column("access_url", _C, "", "meta.ref.url", "Access.reference", "Where to get it"),
    _column("access_format", _C, "", "meta.code.mime", "Access.format", "Media type of what is there"),
    _column("access_estsize", _L, "kbyte", "phys.size;meta.file", "Access.size", "Estimated size of it"),
    _column("target_name", _C, "", "meta.id;src", "Target.name", "What was observed"),
    _column(
        "s_ra", _D, "deg", "pos.eq.ra", f"{_SPATIAL}Coverage.Location.Coord.Position2D.Value2.C1",
        "Right ascension of the centre, ICRS",
    ),
    _column(
        "s_dec", _D, "deg", "pos.eq.dec", f"{_SPATIAL}Coverage.Location.Coord.Position2D.Value2.C2",
        "Declination of the centre, ICRS",
    ),
    _column(
        "s_fov", _D, "deg", "phys.angSize;instr.fov", f"{_SPATIAL}Coverage.Bounds.Extent.diameter",
        "Diameter of the smallest circle around it",
    ),
    _column(
        "s_region", _C, "", "pos.outline;obs.field", f"{_SPATIAL}Coverage.Support.Area", "Outline on the sky, ICRS",
        xtype="adql:REGION",
    ),
    _column(
        "s_resolution", _D, "arcsec", "pos.angResolution", f"{_SPATIAL}Resolution.Refval.value",
        "Angular resolution (FWHM)",
    ),
    _column("s_xel1", _L, "", "meta.number", f"{_SPATIAL}numBins1", "Pixels along the first axis"),
    _column("s_xel2", _L, "", "meta.number", f"{_SPATIAL}numBins2", "Pixels along the second axis"),
    _column(
        "s_pixel_scale", _D, "arcsec", "phys.angSize;instr.pixel", f"{_SPATIAL}Sampling.RefVal.SamplingPeriod",
        "Size of a pixel",
    ),
    _column("t_min", _D, "d", "time.start;obs.exposure", f"{_TIME}Coverage.Bounds.Limits.StartTime", "Start, MJD"),
    _column("t_max", _D, "d", "time.end;obs.exposure", f"{_TIME}Coverage.Bounds.Limits.StopTime", "End, MJD"),
    _column("t_exptime", _D, "s", "time.duration;obs.exposure", f"{_TIME}Coverage.Support.Extent", "Exposure time"),
    _column("t_resolution", _D, "s", "time.resolution", f"{_TIME}Resolution.Refval.value", "Resolution in time"),
    _column("t_xel", _L, "", "meta.number", f"{_TIME}numBins", "Elements along the time axis"),
    _column(
        "em_min", _D, "m", "em.wl;stat.min", f"{_SPECTRAL}Coverage.Bounds.Limits.LoLimit",
        "Shortest wavelength, in vacuum",
    ),
    _column(
        "em_max", _D, "m", "em.wl;stat.max", f"{_SPECTRAL}Coverage.Bounds.Limits.HiLimit",
        "Longest wavelength, in vacuum",
    ),
    _column(
        "em_res_power", _D, "", "spect.resolution", f"{_SPECTRAL}Resolution.ResolPower.refVal",
        "Wavelength divided by the width of the band",
    ),
    _column("em_xel", _L, "", "meta.number", f"{_SPECTRAL}numBins", "Elements along the spectral axis"),
    _column("o_ucd", _C, "", "meta.ucd", "Char.ObservableAxis.ucd", "UCD of what was measured"),
    _column(
        "pol_states", _C, "", "meta.code;phys.polarization", "Char.PolarizationAxis.stateList", "Polarization states"
    ),
    _column("pol_xel", _L, "", "meta.number", "Char.PolarizationAxis.numBins", "Number of polarization states"),
    _column("facility_name", _C, "", "meta.id;instr.tel", "Provenance.ObsConfig.Facility.name", "Telescope"),
    _column("instrument_name", _C, "", "meta.id;instr", "Provenance.ObsConfig.Instrument.name", "Instrument"),
    _column("proposal_id", _C, "", "meta.id;obs.proposal", "Provenance.Proposal.identifier", "Number of the proposal"),
)  # fmt: skip
"""Columns of the table, in its order."""
