"""The two ways of `make bench` to the same PDF: WeasyPrint alone, and the product's own path from frozen data."""

from __future__ import annotations

import io
from typing import Any

from monitoring.actions import generated_texts, render
from monitoring.report import data as report_data
from monitoring.report import document
from onatc import documents
from onatc.periods import Period
from strategy.models import Plan


def sample() -> tuple[str, dict[str, Any]]:
    """The demonstration's newest report, its goals repeated until it has 60 pages or more, and its HTML."""
    plan = Plan.objects.get(code="AP-2022-2026")
    data = report_data.collect(plan, Period.parse("2026Q3"))
    data["goals"] = [goal | {"code": f"{goal['code']}.{copy}"} for copy in range(1, 4) for goal in data["goals"]]
    texts = generated_texts(data)["sq"]
    html = document.html(data, texts, "sq", fingerprint=report_data.sha256_of(data), is_draft=True, issue=1)
    return html, {"data": data, "texts": texts}


def bare(html: str) -> bytes:
    """The same HTML, stylesheets and variant through WeasyPrint with nothing of ours around it."""
    from django.contrib.staticfiles import finders
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    styles = [CSS(filename=finders.find(name), font_config=fonts) for name in documents.STYLES]
    target = io.BytesIO()
    HTML(string=html).write_pdf(target, stylesheets=styles, font_config=fonts, pdf_variant="pdf/ua-1")
    return target.getvalue()


def ours(report: dict[str, Any]) -> int:
    _body, pages = render(report["data"], report["texts"], "sq", is_draft=True, issue=1)
    return pages
