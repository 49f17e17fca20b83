"""Constellations as names of stars end in them: `KQ Ursae Majoris` is `KQ UMa` (IAU 1922; the genitives are Latin)."""

from __future__ import annotations

__all__ = ["ABBREVIATIONS"]

_GENITIVES = """
Andromedae And, Antliae Ant, Apodis Aps, Aquarii Aqr, Aquilae Aql, Arae Ara, Arietis Ari, Aurigae Aur, Bootis Boo,
Caeli Cae, Camelopardalis Cam, Cancri Cnc, Canum Venaticorum CVn, Canis Majoris CMa, Canis Minoris CMi,
Capricorni Cap, Carinae Car, Cassiopeiae Cas, Centauri Cen, Cephei Cep, Ceti Cet, Chamaeleontis Cha, Circini Cir,
Columbae Col, Comae Berenices Com, Coronae Australis CrA, Coronae Borealis CrB, Corvi Crv, Crateris Crt, Crucis Cru,
Cygni Cyg, Delphini Del, Doradus Dor, Draconis Dra, Equulei Equ, Eridani Eri, Fornacis For, Geminorum Gem, Gruis Gru,
Herculis Her, Horologii Hor, Hydrae Hya, Hydri Hyi, Indi Ind, Lacertae Lac, Leonis Leo, Leonis Minoris LMi,
Leporis Lep, Librae Lib, Lupi Lup, Lyncis Lyn, Lyrae Lyr, Mensae Men, Microscopii Mic, Monocerotis Mon, Muscae Mus,
Normae Nor, Octantis Oct, Ophiuchi Oph, Orionis Ori, Pavonis Pav, Pegasi Peg, Persei Per, Phoenicis Phe, Pictoris Pic,
Piscium Psc, Piscis Austrini PsA, Puppis Pup, Pyxidis Pyx, Reticuli Ret, Sagittae Sge, Sagittarii Sgr, Scorpii Sco,
Sculptoris Scl, Scuti Sct, Serpentis Ser, Sextantis Sex, Tauri Tau, Telescopii Tel, Trianguli Tri,
Trianguli Australis TrA, Tucanae Tuc, Ursae Majoris UMa, Ursae Minoris UMi, Velorum Vel, Virginis Vir, Volantis Vol,
Vulpeculae Vul
"""

ABBREVIATIONS = {
    " ".join(words[:-1]).lower(): words[-1].lower() for words in (part.split() for part in _GENITIVES.split(","))
}
"""The three letters for each genitive, both in small letters."""
