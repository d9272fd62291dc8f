"""The files that open the service in a tool, by what the vendors publish of them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html import unescape

import pytest
from hub_serve.odata.connect import odc, pbids, tds
from tableau_schema import errors_of, needs_schema

from hub import model

ROOT = "https://hub.example.org/a&b/odata/v4/"


@needs_schema
@pytest.mark.parametrize("year", ["2026_1", "2026_2"])
def test_the_data_source_of_tableau_is_valid(year: str) -> None:
    """By Tableau's schema, of every table."""
    assert [] == [one for table in model().tables for one in errors_of(tds(ROOT, table).encode(), year)]


def test_the_connection_of_excel_is_whole() -> None:
    """Its island of XML and the query in it can be read, with the address that has to be escaped twice."""
    for table in model().tables:
        island = re.search(r'<xml id="msodc">(.*)</xml>', odc(ROOT, table), re.DOTALL)
        assert island is not None
        connection = ET.fromstring(island[1])
        mashup = next(one.text for one in connection.iter() if one.tag.endswith("PowerQueryMashupData"))
        assert mashup is not None
        formula = next(one.text for one in ET.fromstring(mashup).iter() if one.tag.endswith("Formula"))
        assert formula is not None

        assert f'OData.Feed("{ROOT}", null' in unescape(formula)
        assert f'[Name="{table}",Signature="table"]' in formula


def test_the_connection_of_power_bi_has_what_it_documents() -> None:
    """Version 0.1, one connection, its protocol, address and mode (Power BI, data source files)."""
    told = json.loads(pbids(ROOT))

    assert "0.1" == told["version"]
    assert [("odata", {"url": ROOT}, "Import")] == [
        (one["details"]["protocol"], one["details"]["address"], one["mode"]) for one in told["connections"]
    ]
