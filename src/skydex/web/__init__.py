"""The archive over HTTP: one module per service; the built-in ones stand here."""

from pathlib import Path

from skydex.settings import Settings
from skydex.web import (
    account,
    casjobs,
    catalogs,
    datalink,
    fitscut,
    foresight,
    hips,
    hlasiap,
    image_files,
    light_curves,
    looks,
    mast,
    mydb,
    pages,
    ps1filenames,
    scs,
    sesame,
    sia,
    soda,
    tap,
    vosi,
)
from skydex.web.app import App
from skydex.web.app import create_app as _create_app
from skydex.web.server import serve_services
from skydex.web.service import Link, Service

__all__ = ["SERVICES", "App", "Link", "Service", "create_app", "serve"]

SERVICES: tuple[Service, ...] = (
    pages.SERVICE,
    account.SERVICE,
    tap.SERVICE,
    scs.SERVICE,
    sia.SERVICE,
    hips.SERVICE,
    mast.SERVICE,  # before the API that takes all addresses below its own
    catalogs.SERVICE,
    looks.SERVICE,
    foresight.SERVICE,
    casjobs.SERVICE,
    sesame.SERVICE,
    soda.SERVICE,
    datalink.SERVICE,
    fitscut.SERVICE,
    ps1filenames.SERVICE,
    hlasiap.SERVICE,
    image_files.SERVICE,
    light_curves.SERVICE,
    mydb.SERVICE,
    vosi.SERVICE,
)
"""What every server offers."""


def create_app(archive_directory: Path, settings: Settings) -> App:
    """Make the ASGI application that serves an archive with all services."""
    return _create_app(Path(archive_directory).resolve(), settings, SERVICES)


def serve(archive_directory: Path, settings: Settings) -> None:
    """Serve an archive with all services until SIGTERM or SIGINT."""
    serve_services(Path(archive_directory).resolve(), settings, SERVICES)
