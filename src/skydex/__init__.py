"""skydex: an astronomical archive in a box.

Catalogues go in; TAP, cone search and tables in every usual format come out. Importing the package is cheap: heavy
libraries load when they are used.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
