"""Cross-matches of whole tables: part of the sky by part of the sky, in bounded memory, to be gone on with."""

from skydex.archive.matching.outcome import CrossmatchReport, Given, crossmatched, keep_crossmatch
from skydex.archive.matching.request import CrossmatchRequest

__all__ = ["CrossmatchReport", "CrossmatchRequest", "Given", "crossmatched", "keep_crossmatch"]
