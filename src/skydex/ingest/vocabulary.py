"""What column names and old UCDs of the field usually mean, as plain tables.

Nothing here decides alone: `meaning` uses these tables only for what a file leaves open, and marks what it took from
them with the confidence given here. UCD1+ words are those of the IVOA list (EN-UCDlist-1.5, 2023); the UCD1 words of
older VizieR tables are translated after "Maintenance of the list of UCD words" and the UCD1 assigner of CDS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "DESCRIPTIONS",
    "ERROR_NAME",
    "GALACTIC_NAMES",
    "ID_NAMES",
    "MEANINGS",
    "POSITION_NAMES",
    "UCD1",
    "Meaning",
    "plain_name",
]


def plain_name(name: str) -> str:
    """A column name without case and decoration: `RA(2000.0)` and `ra_2000` meet in `ra2000`."""
    lower = re.sub(r"\b(deg|degrees?)\b|\.0\b", "", name.lower())
    return re.sub(r"[^a-z0-9]", "", lower)


POSITION_NAMES = (
    ("ra", "dec"),
    ("ra", "de"),
    ("radeg", "decdeg"),
    ("radeg", "dedeg"),
    ("raicrs", "decicrs"),
    ("raicrs", "deicrs"),
    ("rajdeg", "dejdeg"),
    ("raj2000", "decj2000"),
    ("raj2000", "dej2000"),
    ("ra2000", "dec2000"),
    ("ra2000", "de2000"),
    ("alphaj2000", "deltaj2000"),
    ("rightascension", "declination"),
    ("alpha", "delta"),
    ("ramean", "decmean"),
    ("matchra", "matchdec"),
    ("objra", "objdec"),
    ("sra", "sdec"),
    ("coordra", "coorddec"),
    ("targetra", "targetdec"),
    ("rastack", "decstack"),
    ("meanra", "meandec"),
    ("raps", "declps"),
    ("ra", "decl"),
)
"""Pairs of plain names, the surest first."""

GALACTIC_NAMES = (("glon", "glat"), ("gall", "galb"), ("gallon", "gallat"))
"""Pairs of plain names that can only be galactic; a bare (l, b) might be anything."""

ID_NAMES = (
    "sourceid",
    "objid",
    "objectid",
    "matchid",
    "gaiadr3",
    "source",
    "2massid",
    "designation",
    "main_id",
    "mainid",
    "id",
    "objectname",
    "starid",
    "name",
)
"""Plain names of columns that name a row, the surest first; taken only if no two rows of the sample share one."""

ERROR_NAME = re.compile(r"^e_|^err_?|^sig(ma)?_|^unc_|_?err(or)?$|_unc$|_sig(ma)?$|_stddev$", re.I)
"""Names that say "one sigma of ..."; what is left without the match is what it is the error of."""


@dataclass(frozen=True)
class Meaning:
    """What a name that matches a pattern usually means."""

    pattern: re.Pattern[str]
    """Searched in the name, in any case."""
    ucd: str
    """UCD1+ of the quantity."""
    unit: str | None = None
    """Usual unit; None if there is no usual one."""
    ucd_confidence: float = 0.8
    """How sure the UCD is, 0 to 1."""
    unit_confidence: float = 0.0
    """How sure the unit is, 0 to 1."""
    is_number: bool = True
    """Whether only numeric columns can mean it."""


def _meaning(
    pattern: str, ucd: str, unit: str | None = None, *, sure: tuple[float, float], number: bool = True
) -> Meaning:
    return Meaning(re.compile(pattern, re.I), ucd, unit, *sure, is_number=number)


MEANINGS = (
    _meaning(r"^pm_?ra|^mu_?(ra|alpha)|^pmalpha", "pos.pm;pos.eq.ra", "mas/yr", sure=(0.9, 0.7)),
    _meaning(r"^pm_?de|^mu_?(dec|delta)|^pmdelta", "pos.pm;pos.eq.dec", "mas/yr", sure=(0.9, 0.7)),
    _meaning(r"^(pm|pmtot|propermotion)$", "pos.pm", "mas/yr", sure=(0.7, 0.6)),
    _meaning(r"^(plx|parallax|varpi)", "pos.parallax.trig", "mas", sure=(0.9, 0.8)),
    _meaning(r"^(rv|hrv|radial_?velocity|vrad)$", "spect.dopplerVeloc.opt", "km/s", sure=(0.8, 0.8)),
    _meaning(r"^(glon|gal_?l(on)?)(?![a-z])", "pos.galactic.lon", "deg", sure=(0.9, 0.8)),
    _meaning(r"^(glat|gal_?b|gal_?lat)(?![a-z])", "pos.galactic.lat", "deg", sure=(0.9, 0.8)),
    _meaning(r"^(elon|ecl_?lon)", "pos.ecliptic.lon", "deg", sure=(0.9, 0.8)),
    _meaning(r"^(elat|ecl_?lat)", "pos.ecliptic.lat", "deg", sure=(0.9, 0.8)),
    _meaning(r"(^|_)(bjd|hjd|jd)(?![a-z]{3})|^(Julian)", "time.epoch", "d", sure=(0.9, 0.9)),
    _meaning(r"mjd", "time.epoch", "d", sure=(0.9, 0.9)),
    _meaning(r"^(ref_?)?epoch$", "time.epoch", "yr", sure=(0.7, 0.4)),
    _meaning(r"exp_?time|exposure", "time.duration;obs.exposure", "s", sure=(0.8, 0.7)),
    _meaning(r"^(p|per)\d?$|^period|period$", "time.period", "d", sure=(0.8, 0.7)),
    _meaning(r"freq", "em.freq", sure=(0.5, 0.0)),
    _meaning(r"^(fwhm|.*_fwhm)|fwhm$", "instr.det.psf", sure=(0.6, 0.0)),
    _meaning(r"^(z|zsp|z_?spec|redshift|zbest)$", "src.redshift", sure=(0.7, 0.0)),
    _meaning(r"^(z_?ph(ot)?|photo_?z)$", "src.redshift.phot", sure=(0.8, 0.0)),
    _meaning(r"^(e_?b_?v|ebv|e\(b-v\))$|^e_?bp_?rp$", "phot.color.excess", "mag", sure=(0.8, 0.8)),
    _meaning(r"^(a_?v|ag_gspphot|extinction)", "phys.absorption;em.opt.V", "mag", sure=(0.6, 0.6)),
    _meaning(r"^t_?eff", "phys.temperature.effective", "K", sure=(0.9, 0.8)),
    _meaning(r"^log_?g$", "phys.gravity", sure=(0.8, 0.0)),
    _meaning(r"^\[?(m|fe)[/_]?h\]?$|^metallicity", "phys.abund.Z", sure=(0.7, 0.0)),
    _meaning(r"^(distance|dist)(_|$)", "pos.distance", sure=(0.6, 0.0)),
    _meaning(r"ang_?dist|separation|^sep$", "pos.angDistance", sure=(0.6, 0.0)),
    _meaning(r"n_?(obs|det|detections|meas|visits|images|filters)$", "meta.number", sure=(0.7, 0.0)),
    _meaning(r"chi_?(2|sq)", "stat.fit.chi2", sure=(0.8, 0.0)),
    _meaning(r"^prob|_prob(_|$)", "stat.probability", sure=(0.7, 0.0)),
    _meaning(r"(^|_)(s_?n|snr|signal_?to_?noise)(_|$)", "stat.snr", sure=(0.7, 0.0)),
    _meaning(r"significance", "stat.snr", sure=(0.5, 0.0)),
    _meaning(r"^color|^colour|^[ugrizyjhkbv]-?_?[ugrizyjhkbv]$|^bp_?rp$", "phot.color", "mag", sure=(0.7, 0.7)),
    _meaning(
        r"mag(?![a-z])|mag_?(auto|aper|iso|psf|kron|best|model|med|mean|disk)|magnitude",
        "phot.mag",
        "mag",
        sure=(0.8, 0.8),
    ),
    _meaning(r"^(nuv|fuv|w[1-4])$", "phot.mag", "mag", sure=(0.6, 0.5)),
    _meaning(r"flux", "phot.flux", sure=(0.7, 0.0)),
    _meaning(r"flag|qual", "meta.code.qual", sure=(0.6, 0.0)),
    _meaning(r"^(filter|band|passband)(_?name|_?id|type)?$", "meta.id;instr.filter", sure=(0.7, 0.0), number=False),
    _meaning(r"^(class|sp_?type|type|.*_?class)$", "src.class", sure=(0.6, 0.0), number=False),
    _meaning(r"spectral_?type|^spt$", "src.spType", sure=(0.8, 0.0), number=False),
    _meaning(r"^note|comment|remark", "meta.note", sure=(0.8, 0.0), number=False),
    _meaning(r"bib_?code|^ref(erence)?s?$", "meta.bib", sure=(0.7, 0.0), number=False),
)
"""Tried on names in this order; the first match speaks."""

DESCRIPTIONS = (
    _meaning(r"proper motion (in|along) r", "pos.pm;pos.eq.ra", sure=(0.8, 0.0)),
    _meaning(r"proper motion (in|along) d", "pos.pm;pos.eq.dec", sure=(0.8, 0.0)),
    _meaning(r"\bparallax\b", "pos.parallax", sure=(0.6, 0.0)),
    _meaning(r"modified julian", "time.epoch", "d", sure=(0.9, 0.9)),
    _meaning(r"\b(heliocentric|barycentric)? ?julian (date|day)", "time.epoch", "d", sure=(0.9, 0.9)),
    _meaning(r"exposure time", "time.duration;obs.exposure", "s", sure=(0.8, 0.6)),
    _meaning(r"^(the )?(variability |pulsation |orbital )?period\b", "time.period", sure=(0.8, 0.0)),
    _meaning(r"^(the )?\S* ?(\S+-band )?magnitude\b", "phot.mag", "mag", sure=(0.7, 0.6)),
    _meaning(r"^(the )?(\S+ )?flux\b", "phot.flux", sure=(0.6, 0.0)),
    _meaning(r"effective temperature", "phys.temperature.effective", "K", sure=(0.8, 0.6)),
)
"""Tried on descriptions of columns whose names say nothing."""

UCD1 = {
    "POS_EQ_RA_MAIN": "pos.eq.ra;meta.main",
    "POS_EQ_DEC_MAIN": "pos.eq.dec;meta.main",
    "POS_EQ_RA": "pos.eq.ra",
    "POS_EQ_DEC": "pos.eq.dec",
    "POS_EQ_RA_OFF": "pos.eq.ra;arith.diff",
    "POS_EQ_DEC_OFF": "pos.eq.dec;arith.diff",
    "POS_EQ_PMRA": "pos.pm;pos.eq.ra",
    "POS_EQ_PMDEC": "pos.pm;pos.eq.dec",
    "POS_EQ_PM": "pos.pm",
    "POS_EQ_PLX": "pos.parallax.trig",
    "POS_EQ_PLX_FACTOR": "pos.parallax",
    "POS_PARLX_TRIG": "pos.parallax.trig",
    "POS_GAL_LON": "pos.galactic.lon",
    "POS_GAL_LAT": "pos.galactic.lat",
    "POS_EC_LON": "pos.ecliptic.lon",
    "POS_EC_LAT": "pos.ecliptic.lat",
    "POS_ANG_DIST_GENERAL": "pos.angDistance",
    "POS_POS-ANG": "pos.posAng",
    "ID_MAIN": "meta.id;meta.main",
    "ID_NUMBER": "meta.id",
    "ID_IDENTIFIER": "meta.id",
    "ID_ALTERNATIVE": "meta.id",
    "ID_CATALOG": "meta.id;meta.dataset",
    "ID_FIELD": "meta.id;obs.field",
    "ID_STAR": "meta.id",
    "PHOT_MAG": "phot.mag",
    "PHOT_MAG_OPTICAL": "phot.mag;em.opt",
    "PHOT_JHN_U": "phot.mag;em.opt.U",
    "PHOT_JHN_B": "phot.mag;em.opt.B",
    "PHOT_JHN_V": "phot.mag;em.opt.V",
    "PHOT_JHN_R": "phot.mag;em.opt.R",
    "PHOT_JHN_I": "phot.mag;em.opt.I",
    "PHOT_JHN_J": "phot.mag;em.IR.J",
    "PHOT_JHN_H": "phot.mag;em.IR.H",
    "PHOT_JHN_K": "phot.mag;em.IR.K",
    "PHOT_SDSS_U": "phot.mag;em.opt.U",
    "PHOT_SDSS_G": "phot.mag;em.opt.B",
    "PHOT_SDSS_R": "phot.mag;em.opt.R",
    "PHOT_SDSS_I": "phot.mag;em.opt.I",
    "PHOT_SDSS_Z": "phot.mag;em.opt.I",
    "PHOT_FLUX_DENSITY": "phot.flux.density",
    "PHOT_FLUX": "phot.flux",
    "PHOT_CI_B-V": "phot.color;em.opt.B;em.opt.V",
    "ERROR": "stat.error",
    "FIT_ERROR": "stat.error",
    "FIT_CHI2": "stat.fit.chi2",
    "STAT_PROBABILITY": "stat.probability",
    "VAR_PERIOD": "time.period",
    "TIME_DATE": "time.epoch",
    "TIME_EPOCH": "time.epoch",
    "TIME_EXPTIME": "time.duration;obs.exposure",
    "TIME_EQUINOX": "time.equinox",
    "REDSHIFT_HC": "src.redshift",
    "VELOC_HC": "spect.dopplerVeloc.opt",
    "CLASS_OBJECT": "src.class",
    "CLASS_STAR/GALAXY": "src.class.starGalaxy",
    "SPECT_TYPE_GENERAL": "src.spType",
    "MORPH_TYPE": "src.morph.type",
    "EXTENSION_RAD": "phys.angSize",
    "EXTENSION_DIAM": "phys.angSize",
    "CODE_QUALITY": "meta.code.qual",
    "CODE_MISC": "meta.code",
    "CODE_ERROR": "meta.code.error",
    "NUMBER": "meta.number",
    "NOTE": "meta.note",
    "REMARKS": "meta.note",
    "REFER_BIBCODE": "meta.bib.bibcode",
    "REFER_CODE": "meta.bib",
    "RECORD": "meta.record",
}
"""UCD1 words to UCD1+, where one answers to the other."""
