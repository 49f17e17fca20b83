"""Figures, drawn on axes that the caller may bring."""
