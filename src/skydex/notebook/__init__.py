"""Views in a notebook: rows as a linked diagram, sky and list; what is chosen there comes back as a table.

They are an optional part (`pip install 'skydex[notebook]'`); what they need is loaded when one is made.
"""

from skydex.notebook.opening import MANY, MOST, linked_view

__all__ = ["MANY", "MOST", "linked_view"]
