"""A document of ours as PDF/UA: the pages of a report, an action plan on paper.

The same HTML and fingerprint give the same bytes: the identifier is made from the fingerprint, and no clock is asked.
Nothing is fetched but our own fonts and stylesheets, from memory.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
from django.contrib.staticfiles import finders
from django.utils.translation import gettext as _

from onatc.errors import Refused

STYLES = ("vendor/noto-sans/noto-sans-pdf.css", "charts.css", "report.css")
FONTS = "vendor/noto-sans/"
BASE = "https://report.invalid/"  # no such host can exist; only the fetcher below answers for it


def pdf(document: str, *, fingerprint: str, logo: bytes = b"", styles: tuple[str, ...] = STYLES) -> tuple[bytes, int]:
    """The document as PDF/UA-1 with its number of pages; raises Refused when this machine has no pango.

    `logo` is the PNG that the document names `logo.png`, `styles` the names of our stylesheets in their order."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
    except OSError as error:
        raise Refused(_("PDF files cannot be made on this machine: the pango library is missing.")) from error
    fetcher = _fetcher(logo)
    fonts = FontConfiguration()
    sheets = [
        CSS(string=_static(name).decode(), base_url=f"{BASE}{name}", url_fetcher=fetcher, font_config=fonts)
        for name in styles
    ]
    rendered = HTML(string=document, base_url=BASE, url_fetcher=fetcher).render(stylesheets=sheets, font_config=fonts)
    target = io.BytesIO()
    rendered.write_pdf(
        target,
        pdf_variant="pdf/ua-1",
        pdf_identifier=hashlib.sha256(fingerprint.encode()).digest()[:16],
        custom_metadata=False,
    )
    return _with_scopes(target.getvalue()), len(rendered.pages)


def _with_scopes(body: bytes) -> bytes:
    """Say of each heading cell whether it heads a column or a row, which WeasyPrint leaves out."""
    with pikepdf.open(io.BytesIO(body)) as file:
        _scope(file, file.Root.StructTreeRoot, "/Column")
        target = io.BytesIO()
        file.save(target, deterministic_id=True)
    return target.getvalue()


def _scope(file: pikepdf.Pdf, node: Any, scope: str) -> None:
    kind = node.get("/S")
    if kind == "/TH":
        node.A = pikepdf.Dictionary(O=pikepdf.Name.Table, Scope=pikepdf.Name(scope))
        return
    children = node.get("/K")
    if children is None or kind in ("/P", "/Span", "/TD"):
        return
    inside = {"/THead": "/Column", "/TBody": "/Row"}.get(str(kind), scope)
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary):
            _scope(file, child, inside)


def _static(name: str) -> bytes:
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(name)
    return Path(path).read_bytes()


@cache
def _font(name: str) -> bytes:
    """A font of ours unpacked from WOFF2, as WeasyPrint would do anew for each document."""
    from fontTools.ttLib import woff2

    target = io.BytesIO()
    woff2.decompress(io.BytesIO(_static(name)), target)
    return target.getvalue()


def _fetcher(logo: bytes = b"") -> Any:
    """Serves fonts of ours and the office's logo from memory; anything else, whatever a text holds, is refused."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFilesOnly(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix(BASE)
            if logo and url == f"{BASE}logo.png":
                return URLFetcherResponse(url, logo, {"Content-Type": "image/png"})
            if not url.startswith(BASE + FONTS) or not name.endswith(".woff2") or ".." in name:
                raise ValueError("refused")
            return URLFetcherResponse(url, _font(name), {"Content-Type": "font/ttf"})

    return OwnFilesOnly(allowed_protocols=["https"], allow_redirects=False)
