"""`connect`: one way to every archive, whatever and wherever it is."""

from __future__ import annotations

import os
from pathlib import Path

from skydex.client import Door, Preset, find_preset, preset_names
from skydex.connection.connection import Connection
from skydex.errors import BadParameterError, UnknownResourceError, near_names
from skydex.settings import login_of_environment

__all__ = ["connect"]

Target = str | os.PathLike[str]


def connect(
    target: Target,
    *,
    at: Target | None = None,
    user: str | None = None,
    password: str | None = None,
    release: str | None = None,
    magtype: str | None = None,
    context: str | None = None,
    engine: str | None = None,
) -> Connection:
    """Open an archive for asking.

    Parameters
    ----------
    target : str or path
        A directory with an archive, which is asked in this process; the address of a skydex server, or of any TAP
        service of the Virtual Observatory; or the name of a preset: `mast-hsc`, `mast-casjobs`, `ps1-tap`, `mast-psf`,
        `csc21`, `panstarrs`.
    at : str or path, optional
        Of a preset: an address, or a directory, that stands in for the real services.
    user, password : str, optional
        As whom it is asked; by default what `SKYDEX_USER` and `SKYDEX_PASSWORD` say, and nobody if they say nothing.
        These go to addresses only, and never to the public services of a preset. A directory asks for no password.
    release, magtype, context : str, optional
        Of a preset: which release, photometry, or context of CasJobs is meant where nothing is said.
    engine : str, optional
        Of a directory: which engine answers, `scan`, `duckdb` or `spark`; by default what suits each query.

    Returns
    -------
    archive : Connection
        With the same verbs, as far as the target has them.

    Raises
    ------
    UnknownResourceError
        There is no such directory or preset.

    Examples
    --------
    >>> import skydex
    >>> archive = skydex.connect("demo-archive")  # doctest: +SKIP
    >>> archive.cone("summary", "IC 1613", "2 arcmin")  # doctest: +SKIP
    """
    preset = find_preset(target) if isinstance(target, str) else None
    if preset is not None:
        chosen = preset.chosen(release=release, magtype=magtype, context=context)
        return Connection(_preset_door(chosen, at, (user, password), engine))
    if at is not None:
        raise UnknownResourceError("preset", str(target)[:80], near=near_names(str(target), preset_names()))
    return Connection(_door(target, (user, password), engine))


def _preset_door(preset: Preset, at: Target | None, login: tuple[str | None, str | None], engine: str | None) -> Door:
    if at is None or _is_address(at):
        _check_chosen_here(engine)
        return _far_preset(preset, None if at is None else str(at), login)
    return _near(Path(at), preset, login[0], engine)


def _door(target: Target, login: tuple[str | None, str | None], engine: str | None) -> Door:
    if _is_address(target):
        _check_chosen_here(engine)
        return _far(str(target), login)
    return _near(Path(target), None, login[0], engine)


def _is_address(target: Target) -> bool:
    return isinstance(target, str) and target.lower().startswith(("http://", "https://"))


def _check_chosen_here(engine: str | None) -> None:
    if engine is not None:
        raise BadParameterError("engine", "is for an archive in a directory; a server chooses by itself.")


def _near(directory: Path, preset: Preset | None, user: str | None, engine: str | None) -> Door:
    from skydex.connection.near import NearDoor

    if not directory.is_dir():
        near = near_names(str(directory), preset_names()) or list(preset_names())
        raise UnknownResourceError("archive or preset", str(directory)[:200], near=near)
    return NearDoor(directory, preset=preset, user=user, engine=engine)


def _far(url: str, given: tuple[str | None, str | None]) -> Door:
    """An archive at an address, to which the login of the environment goes as well."""
    from skydex.client.far import found_door
    from skydex.client.http import without_login

    return found_door(url, login=_login(given) or without_login(url)[1] or login_of_environment())


def _far_preset(preset: Preset, at: str | None, given: tuple[str | None, str | None]) -> Door:
    """A preset at its public services, which learn nothing from the environment, or at an address."""
    from skydex.client.far import far_door
    from skydex.client.http import Web, without_login

    if at is None:
        return far_door(preset, Web(_login(given)))
    address, own_login = without_login(at)
    moved = preset.moved(address)
    web = Web(_login(given) or own_login or login_of_environment(), origins=moved.services.values())
    return far_door(moved, web, name=f"{preset.name} at {address}")


def _login(given: tuple[str | None, str | None]) -> tuple[str, str] | None:
    user, password = given
    if user and not password:
        raise BadParameterError("password", f"is missing for the user {user}.")
    return (user, password) if user and password else None
