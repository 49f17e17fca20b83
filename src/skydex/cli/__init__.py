"""The command `skydex`: one module for each kind of errand; the entry point is `main`."""

from skydex.cli.app import main

__all__ = ["main"]
