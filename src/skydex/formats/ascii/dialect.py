"""Which of the text formats of astronomy a file is in, from its first lines.

The marks are those of the formats' own definitions, so that no format has to be tried on the file to see whether it
fits: trying all of them takes long, and the wrong one may fit.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ["dialect_of", "readme_of"]

_IPAC_TYPES = ("integer", "long", "double", "float", "real", "char", "date")
"""They may be cut short where a column is narrow: `doub`, `d`."""
_SEXTRACTOR = re.compile(r"#\s*1\s+[A-Za-z_]\w*(\s|$)")
_RULE = re.compile(r"[-=]+(\s+[-=]+)*")
_README_FILE = re.compile(r"Byte-by-byte Description of file: (.+)", re.IGNORECASE)
_MOST_README = 4 << 20


def dialect_of(file: Path, lines: Sequence[str]) -> str | None:
    """Name the dialect of a file, as `astropy.io.ascii` calls it, or `bars`; `None` if nothing marks it.

    Parameters
    ----------
    file : Path
        The file; a `ReadMe` beside it that describes it makes it a CDS table.
    lines : sequence of str
        Its first lines.
    """
    text = "\n".join(lines)
    content = [line for line in lines if line.strip()]
    if "byte-by-byte description" in text.lower():
        return "mrt" if text.lstrip("\ufeff \n").startswith("Title:") else "cds"
    if readme_of(file):
        return "cds"
    if re.search(r"^#[KNU] ", text, re.MULTILINE):
        return "daophot"
    if content and _SEXTRACTOR.match(content[0]):
        return "sextractor"
    return _marked_up(text) or _ruled(content)


def readme_of(file: Path) -> Path | None:
    """The CDS ReadMe beside a file, if it describes that file."""
    readme = file.parent / "ReadMe"
    if not readme.is_file() or readme.stat().st_size > _MOST_README or readme == file:
        return None
    described = _README_FILE.findall(readme.read_text("utf-8", errors="replace"))
    names = {file.name, file.name.removesuffix(".gz")}
    patterns = [pattern for line in described for pattern in line.replace(",", " ").split()]
    return readme if any(fnmatch.fnmatch(name, pattern) for name in names for pattern in patterns) else None


def _marked_up(text: str) -> str | None:
    if re.search(r"\\begin\{deluxetable\*?\}", text):
        return "aastex"
    if re.search(r"\\begin\{(tabular|table)\*?\}", text):
        return "latex"
    if re.search(r"<table[\s>]", text, re.IGNORECASE):
        return "html"
    return "tdat" if re.match(r"\s*<HEADER>", text) else None


def _ruled(content: Sequence[str]) -> str | None:
    """Formats that are known by lines of bars, dashes or type letters."""
    bars = [
        [word.strip(" -").lower() for word in line.strip().strip("|").split("|")] for line in content if line[0] == "|"
    ]
    if len(bars) > 1 and all(word and any(kind.startswith(word) for kind in _IPAC_TYPES) for word in bars[1]):
        return "ipac"
    if content and content[0].lstrip().startswith("|"):
        return "bars"
    plain = [line for line in content if not line.lstrip().startswith("#")]
    if (
        len(plain) > 1
        and "\t" in plain[0]
        and all(re.fullmatch(r"\d*[NS]", word) for word in plain[1].upper().split("\t"))
    ):
        return "rdb"
    if len(plain) > 2 and _RULE.fullmatch(plain[0].strip()) and plain[0].startswith("=") and " " in plain[0].strip():
        return "rst"
    if len(plain) > 1 and _RULE.fullmatch(plain[1].strip()) and " " in plain[1].strip():
        return "fixed_width_two_line"
    return "mesa" if _is_mesa(content) else None


def _is_mesa(content: Sequence[str]) -> bool:
    """Numbered columns above names and values, and again above the rows."""
    if len(content) < 5:
        return False
    numbered = [line.split() == [str(n + 1) for n in range(len(line.split()))] for line in content[:5]]
    return numbered[0] and numbered[3]
