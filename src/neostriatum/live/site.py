"""The files of the page, read once; nothing else is served."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

#: Kinds of the files that are served.
KINDS = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
         "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
#: The page's own modules, each after those that it imports.
MODULES = ("theme.js", "frames.js", "store.js", "raster.js", "somas.js", "charts.js", "knobs.js",
           "scenes.js", "log.js", "sound.js", "view.js", "transports.js")
PLOTS = "uPlot.iife.min.js"
STYLES = ("uPlot.min.css", "style.css")
#: Nothing but our own files, and the socket of the same host.
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
           "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}


def text(name: str) -> str:
    """Return a file of the page."""
    return (files("neostriatum.live") / "static" / name).read_text("utf-8")


@cache
def pages() -> dict[str, tuple[str, bytes]]:
    """Return kind and content of every path that is served."""
    names = ("index.html", "main.js", "icon.svg", PLOTS, *STYLES, *MODULES)
    served = {f"/{name}": (KINDS[name.rpartition(".")[2]], text(name).encode()) for name in names}
    return served | {"/": served["/index.html"]}
