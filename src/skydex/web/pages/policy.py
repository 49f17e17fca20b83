"""`Policy`: what a page may do in a browser (Content Security Policy Level 3).

No page has a script in its text, and none asks anybody but this server, unless its reader wishes (`asks`). What a
library needs beyond that is granted to the pages that use it, and to no other.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STRICT", "Policy"]

_HUB = "http://localhost:21012"
"""Where hubs listen for pages (SAMP 1.3, section 5.2.1)."""


@dataclass(frozen=True)
class Policy:
    """What one page may do."""

    compiles: bool = False
    """Whether scripts may make code from texts: regl writes what sends points to the graphics card so."""
    has_wasm: bool = False
    """Whether WebAssembly runs: Aladin Lite consists of it."""
    sets_styles: bool = False
    """Whether scripts may add style sheets: Aladin Lite and CodeMirror do."""
    asks: tuple[str, ...] = ()
    """Origins besides this server from which pictures and data come: for what the reader asked for."""
    sends: bool = False
    """Whether it may speak to a SAMP hub on the reader's own machine, which asks its user first."""

    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers of an answer."""
        scripts = ["'self'"]
        scripts += ["'unsafe-eval'"] if self.compiles else ["'wasm-unsafe-eval'"] if self.has_wasm else []
        styles = ["'self'", *(["'unsafe-inline'"] if self.sets_styles else [])]
        asked = [*self.asks, *([_HUB] if self.sends else [])]
        parts = (
            "default-src 'none'",
            f"script-src {' '.join(scripts)}",
            f"style-src {' '.join(styles)}",
            f"img-src 'self' data: blob: {' '.join(self.asks)}".rstrip(),
            f"connect-src 'self' blob: data: {' '.join(asked)}".rstrip(),
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
        return (
            (b"content-security-policy", "; ".join(parts).encode()),
            (b"referrer-policy", b"same-origin"),  # under a stricter one browsers do not say where a form comes from
        )


STRICT = Policy()
"""Of pages that need nothing but this server's own scripts."""
