"""Write Office files that are the same each time: their archives without a clock."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms)")


def steady(data: bytes, moment: date) -> bytes:
    """Return the Office file *data* as if written on *moment*, and the workbooks inside it."""
    out = io.BytesIO()
    stamp = (max(1980, moment.year), moment.month, moment.day, 0, 0, 0)
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            content = old.read(one.filename)
            if one.filename.endswith(".xlsx"):
                content = steady(content, moment)
            elif one.filename == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>%s\g<3>" % f"{moment}T12:00:00Z".encode(), content)
            entry = zipfile.ZipInfo(one.filename, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
