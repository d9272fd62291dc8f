"""Print the page as a PDF with headings and alternative texts."""

from __future__ import annotations

from datetime import date

from hub import MissingExtra, tr

HOW = 'pip install "pm-hub-papers[pdf]"'


def write_pdf(page: bytes, moment: date) -> bytes:
    """Return the HTML file *page* as a tagged PDF, the same each time. Raises `MissingExtra`."""
    try:
        import weasyprint
    except (ImportError, OSError) as exc:  # OSError: Pango, which it draws with, is not on this machine
        raise MissingExtra(tr("A PDF needs WeasyPrint and Pango: {how}.", how=HOW)) from exc
    document = weasyprint.HTML(string=page.decode(), url_fetcher=_refuse)
    identifier = f"{moment}-pm-hub".encode()
    return bytes(document.write_pdf(pdf_identifier=identifier, pdf_tags=True))


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    """Fetch nothing: the page holds all it shows."""
    raise ValueError(url)
