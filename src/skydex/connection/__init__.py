"""One door to near and far: an archive that is asked in the same words wherever it is."""
