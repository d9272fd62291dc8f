"""What an answer looks like: Atom, JSON light and verbose JSON of version 3, JSON of version 4, two models.

Source: OData version 3.0 "Atom format", "JSON light format", "JSON verbose format" and "CSDL", OASIS OData
4.01 "JSON format" and "CSDL XML".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from hub_serve.projectdata.sets import Edm, EntitySet

Row = dict[str, Any]
NAMESPACE, CONTAINER = "ReportingData", "Microsoft.Office.Project.Server"
_ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
_DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
_XML = '<?xml version="1.0" encoding="utf-8"?>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_V4: dict[Edm, str] = {"DateTime": "DateTimeOffset"}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is written: *version* 3 or 4 of the protocol, and for JSON how much it says of itself."""

    version: Literal[3, 4] = 3
    kind: Literal["atom", "light", "verbose"] = "atom"
    metadata: Literal["none", "minimal", "full"] = "minimal"

    @property
    def media_type(self) -> str:
        """Return the type of an answer with rows."""
        if self.kind == "atom":
            return "application/atom+xml;type=feed;charset=utf-8"
        if self.kind == "verbose":
            return "application/json;odata=verbose;charset=utf-8"
        if self.version == 4:
            return f"application/json;odata.metadata={self.metadata};charset=utf-8"
        much = "no" if self.metadata == "none" else self.metadata
        return f"application/json;odata={much}metadata;charset=utf-8"

    @property
    def headers(self) -> dict[str, str]:
        """Return what says which version it is."""
        return {"OData-Version": "4.0"} if self.version == 4 else {"DataServiceVersion": "3.0;"}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one answer, the address of the service, how many there are in all, and where it goes on."""

    set: EntitySet
    root: str
    columns: Sequence[str]
    rows: Sequence[Row]
    whole: bool = False
    count: int | None = None
    next: str | None = None
    updated: str = ""
    one: bool = False


def written(page: Page, form: Form) -> bytes:
    """Return *page* in *form*."""
    if form.kind == "atom":
        return _atom(page).encode()
    if form.kind == "verbose":
        return _json(_verbose(page), form)
    return _json(_light(page, form), form)


def _json(value: Any, form: Form) -> bytes:
    # version 3 writes decimals as texts, version 4 as numbers
    encoder = msgspec.json.Encoder(decimal_format="number" if form.version == 4 else "string")
    return encoder.encode(value)


def identity(page: Page, row: Row) -> str:
    """Return the address of *row*."""
    parts = [(name, _literal(page.set.columns[name], row.get(name))) for name in page.set.key]
    inside = parts[0][1] if len(parts) == 1 else ",".join(f"{name}={text}" for name, text in parts)
    return f"{page.root}/{page.set.name}({inside})"


def _literal(kind: Edm, value: Any) -> str:
    if kind == "Guid":
        return f"guid'{value}'"
    if kind == "DateTime" and isinstance(value, datetime):
        return f"datetime'{value.isoformat(timespec='seconds')}'"
    return "'" + str(value).replace("'", "''") + "'" if kind == "String" else str(value)


def _light(page: Page, form: Form) -> Any:
    sign = "@odata." if form.version == 4 else "odata."
    told = page.columns if not page.whole else ()
    head: Row = {}
    if form.metadata != "none":
        chosen = (
            f"({','.join(told)})"
            if told and form.version == 4
            else f"&$select={','.join(told)}"
            if told
            else ""
        )
        one = "/$entity" if form.version == 4 else "/@Element"
        place = (
            f"#{page.set.name}{chosen}{one}"
            if form.version == 4 and page.one
            else (f"#{page.set.name}{one}{chosen}" if page.one else f"#{page.set.name}{chosen}")
        )
        head[f"{sign}{'context' if form.version == 4 else 'metadata'}"] = f"{page.root}/$metadata{place}"
    if page.count is not None:
        head[f"{sign}count"] = page.count if form.version == 4 else str(page.count)
    write = _v4 if form.version == 4 else _v3
    rows: Iterable[Row] = ({name: write(row[name]) for name in page.columns} for row in page.rows)
    if form.metadata == "full":
        kind = f"#{NAMESPACE}.{page.set.type}" if form.version == 4 else f"{NAMESPACE}.{page.set.type}"
        rows = (
            {f"{sign}type": kind, f"{sign}id": identity(page, known), **row}
            for row, known in zip(rows, page.rows, strict=True)
        )
    if page.one:
        return {**head, **next(iter(rows))}
    more = {f"{sign}nextLink": page.next} if page.next else {}
    return {**head, "value": list(rows), **more}


def _v3(value: Any) -> Any:
    return value


def _v4(value: Any) -> Any:
    return f"{value.isoformat(timespec='seconds')}Z" if isinstance(value, datetime) else value


def _verbose(page: Page) -> Any:
    rows = []
    for row in page.rows:
        place = identity(page, row)
        about = {"id": place, "uri": place, "type": f"{NAMESPACE}.{page.set.type}"}
        rows.append({"__metadata": about, **{name: row[name] for name in page.columns}})
    if page.one:
        return {"d": rows[0]}
    body: Row = {"results": rows}
    if page.count is not None:
        body["__count"] = str(page.count)
    if page.next:
        body["__next"] = page.next
    return {"d": body}


def _atom(page: Page) -> str:
    entries = [_entry(page, row) for row in page.rows]
    spaces = f'{_ATOM} xmlns:d="{_DATA}" xmlns:m="{_DATA}/metadata" xml:base={quoteattr(page.root + "/")}'
    if page.one:
        return f"{_XML}{entries[0].replace('<entry>', f'<entry {spaces}>', 1)}"
    count = f"<m:count>{page.count}</m:count>" if page.count is not None else ""
    more = f'<link rel="next" href={quoteattr(page.next)}/>' if page.next else ""
    name = page.set.name
    return (
        f"{_XML}<feed {spaces}>{count}<id>{escape(page.root)}/{name}</id>"
        f'<title type="text">{name}</title><updated>{page.updated}</updated>'
        f'<link rel="self" title="{name}" href="{name}"/>{"".join(entries)}{more}</feed>'
    )


def _entry(page: Page, row: Row) -> str:
    place = identity(page, row)
    cells = "".join(_cell(name, page.set.columns[name], row[name]) for name in page.columns)
    return (
        f"<entry><id>{escape(place)}</id>"
        f'<category term="{NAMESPACE}.{page.set.type}" scheme="{_DATA}/scheme"/>'
        f'<link rel="edit" title="{page.set.type}" href={quoteattr(place)}/><title/>'
        f"<updated>{page.updated}</updated><author><name/></author>"
        f'<content type="application/xml"><m:properties>{cells}</m:properties></content></entry>'
    )


def _cell(name: str, kind: Edm, value: Any) -> str:
    typed = "" if kind == "String" else f' m:type="Edm.{kind}"'
    if value is None:
        return f'<d:{name}{typed} m:null="true"/>'
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        text = value.isoformat(timespec="seconds")
    else:
        text = escape(_NOT_XML.sub("", str(value)))
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<d:{name}{typed}{space}>{text}</d:{name}>"


def service(sets: Mapping[str, EntitySet], root: str, form: Form) -> tuple[bytes, str]:
    """Return the document that names the entity sets, and its media type."""
    if form.kind == "atom":
        listed = "".join(
            f'<collection href="{name}"><atom:title>{name}</atom:title></collection>' for name in sets
        )
        text = (
            f'{_XML}<service xml:base={quoteattr(root + "/")} xmlns="http://www.w3.org/2007/app" '
            f'xmlns:atom="http://www.w3.org/2005/Atom"><workspace><atom:title>Default</atom:title>{listed}'
            "</workspace></service>"
        )
        return text.encode(), "application/atomsvc+xml;charset=utf-8"
    if form.kind == "verbose":
        return _json({"d": {"EntitySets": [*sets]}}, form), form.media_type
    kind = {"kind": "EntitySet"} if form.version == 4 else {}
    name = "@odata.context" if form.version == 4 else "odata.metadata"
    head = {name: f"{root}/$metadata"} if form.metadata != "none" else {}
    value = [{"name": one, **kind, "url": one} for one in sets]
    return _json({**head, "value": value}, form), form.media_type


def model(sets: Mapping[str, EntitySet], form: Form) -> bytes:
    """Return the model of the entity sets as CSDL of the version of *form*."""
    types = "".join(_type(one, form) for one in sets.values())
    listed = "".join(
        f'<EntitySet Name="{one.name}" EntityType="{NAMESPACE}.{one.type}"/>' for one in sets.values()
    )
    if form.version == 4:
        space, edmx = "http://docs.oasis-open.org/odata/ns/edm", "http://docs.oasis-open.org/odata/ns/edmx"
        head, services, default = f'Version="4.0" xmlns:edmx="{edmx}"', "<edmx:DataServices>", ""
    else:
        space = "http://schemas.microsoft.com/ado/2009/11/edm"
        head = 'Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"'
        services = (
            '<edmx:DataServices m:DataServiceVersion="3.0" m:MaxDataServiceVersion="3.0" '
            f'xmlns:m="{_DATA}/metadata">'
        )
        default = f' m:IsDefaultEntityContainer="true" xmlns:m="{_DATA}/metadata"'
    return (
        f'{_XML}<edmx:Edmx {head}>{services}<Schema Namespace="{NAMESPACE}" xmlns="{space}">{types}</Schema>'
        f'<Schema Namespace="{CONTAINER}" xmlns="{space}">'
        f'<EntityContainer Name="{NAMESPACE}"{default}>{listed}'
        "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    ).encode()


def _type(one: EntitySet, form: Form) -> str:
    keys = "".join(f'<PropertyRef Name="{name}"/>' for name in one.key)
    cells = []
    for name, kind in one.columns.items():
        told = _V4.get(kind, kind) if form.version == 4 else kind
        facets = ' Precision="19" Scale="6"' if kind == "Decimal" else ""
        nullable = ' Nullable="false"' if name in one.key else ""
        cells.append(f'<Property Name="{name}" Type="Edm.{told}"{facets}{nullable}/>')
    return f'<EntityType Name="{one.type}"><Key>{keys}</Key>{"".join(cells)}</EntityType>'


def refusal(status: int, text: str, form: Form) -> tuple[bytes, str]:
    """Return what says why a question was not answered, and its media type."""
    if form.kind == "atom":
        said = f"<m:code>{status}</m:code><m:message>{escape(_NOT_XML.sub('', text))}</m:message>"
        body = f'{_XML}<m:error xmlns:m="{_DATA}/metadata">{said}</m:error>'
        return body.encode(), "application/xml;charset=utf-8"
    if form.version == 4:
        return _json({"error": {"code": str(status), "message": text}}, form), form.media_type
    name = "error" if form.kind == "verbose" else "odata.error"
    return _json({name: {"code": str(status), "message": {"lang": "", "value": text}}}, form), form.media_type
