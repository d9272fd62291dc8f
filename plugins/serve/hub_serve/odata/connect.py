"""Files that open the service in a tool: Power BI (.pbids), Excel (.odc) and Tableau (.tds)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from starlette.responses import PlainTextResponse, Response

from hub import model, tr
from hub_serve.odata.paths import root_of

if TYPE_CHECKING:
    from starlette.requests import Request

_OFFICE = "urn:schemas-microsoft-com:office:odc"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_HTML = "http://www.w3.org/TR/REC-html40"
_MASHUP = "http://schemas.microsoft.com/DataMashup"


def connect(request: Request) -> Response:
    """Give the file that the path names: ``pm-hub.pbids``, ``TABLE.odc`` or ``TABLE.tds``."""
    name, _, kind = request.path_params["file"].rpartition(".")
    root = root_of(request)
    if kind == "pbids" and name == "pm-hub":
        return _file(pbids(root), f"{name}.{kind}", "application/json")
    if name in model().tables and kind == "odc":
        return _file(odc(root, name), f"{name}.{kind}", "text/x-ms-odc")
    if name in model().tables and kind == "tds":
        return _file(tds(root, name), f"{name}.{kind}", "application/xml")
    return PlainTextResponse(tr("There is no {what}.", what=request.path_params["file"][:200]), 404)


def _file(text: str, name: str, kind: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, 200, disposition, f"{kind};charset=utf-8")


def pbids(root: str) -> str:
    """Return the connection file of Power BI Desktop, which asks for the tables and the password."""
    details = {"protocol": "odata", "address": {"url": root}}
    return json.dumps(
        {"version": "0.1", "connections": [{"details": details, "options": {}, "mode": "Import"}]}
    )


def odc(root: str, table: str) -> str:
    """Return Excel's connection file of one table: a query of Power Query, which Excel can refresh."""
    source = json.dumps(root)[1:-1].replace('"', '""')
    formula = (
        f'let\n    Source = OData.Feed("{source}", null, [Implementation="2.0"]),\n'
        f'    Rows = Source{{[Name="{table}",Signature="table"]}}[Data]\nin\n    Rows'
    )
    mashup = (
        f'<Mashup xmlns:xsi="{_XSI}" xmlns="{_MASHUP}"><Client>EXCEL</Client>'
        "<Version>2.116.622.0</Version><MinVersion>1.5.3296.0</MinVersion><Culture>en-US</Culture>"
        f"<SafeCombine>true</SafeCombine><Items><Query Name={quoteattr(table)}>"
        f"<Formula>{escape(formula)}</Formula>"
        '<IsParameterQuery xsi:nil="true"/><IsDirectQuery xsi:nil="true"/></Query></Items></Mashup>'
    )
    connection = (
        f'Provider=Microsoft.Mashup.OleDb.1;Data Source=$Workbook$;Location={table};Extended Properties=""'
    )
    return (
        f'<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="{_HTML}">\n<head>\n'
        '<meta http-equiv="Content-Type" content="text/x-ms-odc; charset=utf-8">\n'
        '<meta name="ProgId" content="ODC.Table">\n<meta name="SourceType" content="OLEDB">\n'
        f"<title>{escape(table)}</title>\n"
        f'<xml id="msodc"><odc:OfficeDataConnection xmlns:odc="{_OFFICE}" xmlns="{_HTML}">'
        '<odc:PowerQueryConnection odc:Type="OLEDB">'
        f"<odc:ConnectionString>{escape(connection)}</odc:ConnectionString>"
        "<odc:CommandType>SQL</odc:CommandType>"
        f"<odc:CommandText>SELECT * FROM [{escape(table)}]</odc:CommandText>"
        "</odc:PowerQueryConnection>"
        f"<odc:PowerQueryMashupData>{escape(mashup)}</odc:PowerQueryMashupData>"
        "</odc:OfficeDataConnection></xml>\n</head>\n</html>\n"
    )


def tds(root: str, table: str) -> str:
    """Return Tableau's data source of one table; Tableau asks for the password and takes an extract."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<datasource formatted-name={quoteattr(f"pm-hub.{table}")} inline="true" version="10.5" '
        'xmlns:user="http://www.tableausoftware.com/xml/user">\n'
        f'  <connection authentication="yes" class="odata" server={quoteattr(root + table)} '
        'username="pm-hub">\n'
        f'    <relation name={quoteattr(table)} table={quoteattr(f"[{table}]")} type="table"/>\n'
        "  </connection>\n</datasource>\n"
    )
