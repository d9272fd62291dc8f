"""Describe an extract as a data source of Tableau: related tables, captions and calculated fields.

Names of fields are the feed's and the same in every language, so that a workbook stays whole when the feed
speaks another one; captions are what people read.

Source: the schema of workbooks that Tableau publishes (tableau-document-schemas, 2026.1), and a workbook that
Tableau 2025.3 saved.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

import msgspec

VERSION = "18.1"
USER = "http://www.tableausoftware.com/xml/user"
_MANIFEST = ("ObjectModelEncapsulateLegacy", "ObjectModelTableType", "SchemaViewerObjectModel")
_SPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
_KINDS = {
    "BIGINT": ("integer", "20"),
    "DOUBLE": ("real", "5"),
    "DECIMAL(18,2)": ("real", "131"),
    "VARCHAR": ("string", "129"),
    "DATE": ("date", "133"),
    "TIMESTAMPTZ": ("datetime", "135"),
}
"""Tableau's type of a type of the feed, and the number that its drivers give it."""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One column: its *name* in the data source, what the extract calls it, and what people read.

    *adds_up* says that a plain sum over its rows is right; *format* is Tableau's.
    """

    name: str
    table: str
    remote: str
    caption: str
    kind: str
    is_measure: bool = False
    adds_up: bool = False
    is_hidden: bool = False
    format: str = ""
    folder: str = ""
    description: str = ""


class Calculation(msgspec.Struct, frozen=True, kw_only=True):
    """One calculated field; a *text* is none that a number can be shown of."""

    name: str
    caption: str
    formula: str
    is_text: bool = False
    is_hidden: bool = False
    format: str = ""
    folder: str = ""
    description: str = ""


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """An extract as people see it.

    *tables* gives the name that the extract has for each of its tables, *relations* the pairs of fields by
    which two tables are related, *only* the values that fields have to have (a filter on the data source),
    *colours* those of the members of a field as it stands on a shelf.
    """

    name: str
    caption: str
    extract: str
    tables: Mapping[str, str]
    fields: tuple[Field, ...]
    calculations: tuple[Calculation, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()
    hierarchies: Mapping[str, tuple[str, ...]] = {}
    only: Mapping[str, str] = {}
    colours: Mapping[str, Mapping[str, str]] = {}

    @property
    def described(self) -> tuple[Field | Calculation, ...]:
        """Return the columns, then the calculated fields."""
        return (*self.fields, *self.calculations)

    @property
    def id(self) -> str:
        """Return the name by which sheets point to it."""
        return f"federated.{_unique(self.name)[:28]}"

    @property
    def connection(self) -> str:
        """Return the name by which its tables point to the extract."""
        return f"hyper.{_unique(self.name)[:28]}"

    def object_id(self, table: str) -> str:
        """Return the name of a logical table."""
        return f"{table}_{_unique(f'{self.name}/{table}').upper()}"

    def element(self, *, alone: bool) -> ET.Element:
        """Return it as XML: *alone* in a file of its own, or within a workbook."""
        found = ET.Element("datasource", {
            "caption": plain(self.caption), "inline": "true", "version": VERSION,
        })  # fmt: skip
        if alone:
            found.set("formatted-name", self.id)
            found.set("source-platform", "win")
            found.append(manifest(_MANIFEST))
        else:
            found.set("name", self.id)
        self._connect(found)
        ET.SubElement(found, "aliases", {"enabled": "yes"})
        found.extend(column(one) for one in self.described)
        for table, remote in self.tables.items():
            ET.SubElement(found, "column", {
                "caption": plain(remote), "datatype": "table", "role": "measure", "type": "quantitative",
                "name": f"[__tableau_internal_object_id__].[{self.object_id(table)}]",
            })  # fmt: skip
        self._arrange(found)
        self._relate(found)
        return found

    def _connect(self, parent: ET.Element) -> None:
        connection = ET.SubElement(parent, "connection", {"class": "federated"})
        named = ET.SubElement(ET.SubElement(connection, "named-connections"), "named-connection", {
            "caption": plain(self.caption), "name": self.connection,
        })  # fmt: skip
        ET.SubElement(named, "connection", {
            "authentication": "auth-none", "author-locale": "en_US", "class": "hyper",
            "dbname": self.extract, "default-settings": "yes", "schema": "public", "server": "",
            "sslmode": "", "tablename": plain(next(iter(self.tables.values()))),
            "username": "tableau_internal_user",
        })  # fmt: skip
        if len(self.tables) == 1:
            connection.append(self._relation(next(iter(self.tables))))
        else:
            collection = ET.SubElement(connection, "relation", {"type": "collection"})
            collection.extend(self._relation(table) for table in self.tables)
        columns = ET.SubElement(connection, "cols")
        records = ET.SubElement(connection, "metadata-records")
        for ordinal, one in enumerate(self.fields):
            parent_name = bracketed(self.tables[one.table])
            value = f"{parent_name}.{bracketed(one.remote)}"
            ET.SubElement(columns, "map", {"key": one.name, "value": value})
            record = ET.SubElement(records, "metadata-record", {"class": "column"})
            kind, number = _KINDS[one.kind]
            for tag, text in (
                ("remote-name", plain(one.remote)), ("remote-type", number), ("local-name", one.name),
                ("parent-name", parent_name), ("remote-alias", plain(one.remote)), ("ordinal", str(ordinal)),
                ("local-type", kind), ("aggregation", _aggregation(one)), ("contains-null", "true"),
                ("object-id", f"[{self.object_id(one.table)}]"),
            ):  # fmt: skip
                ET.SubElement(record, tag).text = text

    def _relation(self, table: str) -> ET.Element:
        remote = self.tables[table]
        return ET.Element("relation", {
            "connection": self.connection, "name": plain(remote), "table": f"[public].{bracketed(remote)}",
            "type": "table",
        })  # fmt: skip

    def _arrange(self, parent: ET.Element) -> None:
        """Write what orders the fields: hierarchies, folders, the week, and the filter."""
        if self.hierarchies:
            paths = ET.SubElement(parent, "drill-paths")
            for name, levels in self.hierarchies.items():
                path = ET.SubElement(paths, "drill-path", {"name": plain(name)})
                for level in levels:
                    ET.SubElement(path, "field").text = level
        folders: dict[str, list[str]] = {}
        for one in self.described:
            if one.folder and not one.is_hidden:
                folders.setdefault(one.folder, []).append(one.name)
        if folders:
            common = ET.SubElement(parent, "folders-common")
            for name, items in folders.items():
                folder = ET.SubElement(common, "folder", {"name": plain(name)})
                for item in items:
                    ET.SubElement(folder, "folder-item", {"name": item, "type": "field"})
        ET.SubElement(parent, "layout", {
            "dim-ordering": "alphabetic", "measure-ordering": "alphabetic", "show-structure": "true",
        })  # fmt: skip
        if self.colours:
            rule = ET.SubElement(ET.SubElement(parent, "style"), "style-rule", {"element": "mark"})
            for name, members in self.colours.items():
                palette = ET.SubElement(rule, "encoding", {"attr": "color", "field": name, "type": "palette"})
                for member, colour in members.items():
                    bucket = ET.SubElement(ET.SubElement(palette, "map", {"to": colour}), "bucket")
                    bucket.text = quoted(member)
        ET.SubElement(parent, "date-options", {"start-of-week": "monday"})
        parent.extend(only(name, name, (value,)) for name, value in self.only.items())

    def _relate(self, parent: ET.Element) -> None:
        graph = ET.SubElement(parent, "object-graph")
        objects = ET.SubElement(graph, "objects")
        for table, remote in self.tables.items():
            one = ET.SubElement(objects, "object", {"caption": plain(remote), "id": self.object_id(table)})
            ET.SubElement(one, "properties", {"context": ""}).append(self._relation(table))
        if not self.relations:
            return
        owner = {one.name: one.table for one in self.fields}
        relationships = ET.SubElement(graph, "relationships")
        for left, right in self.relations:
            relationship = ET.SubElement(relationships, "relationship")
            equal = ET.SubElement(relationship, "expression", {"op": "="})
            for name in (left, right):
                ET.SubElement(equal, "expression", {"op": name})
            for tag, name in (("first-end-point", left), ("second-end-point", right)):
                ET.SubElement(relationship, tag, {"object-id": self.object_id(owner[name])})


def column(one: Field | Calculation) -> ET.Element:
    """Return a field as XML: what it is called, whether it is a measure, and how it is shown."""
    if isinstance(one, Calculation):
        kind = "string" if one.is_text else "real"
        shape = ("measure", "nominal" if one.is_text else "quantitative")
    else:
        kind = _KINDS[one.kind][0]
        discrete = "ordinal" if kind in {"integer", "date", "datetime"} else "nominal"
        shape = ("measure", "quantitative") if one.is_measure else ("dimension", discrete)
    found = ET.Element("column", {
        "caption": plain(one.caption), "datatype": kind, "name": one.name, "role": shape[0],
        "type": shape[1],
    })  # fmt: skip
    if isinstance(one, Field) and one.is_measure:
        found.set("aggregation", _aggregation(one))
    if one.format:
        found.set("default-format", one.format)
    if one.is_hidden:
        found.set("hidden", "true")
    if isinstance(one, Calculation):
        ET.SubElement(found, "calculation", {"class": "tableau", "formula": plain(one.formula)})
    if one.description:
        text = ET.SubElement(ET.SubElement(found, "desc"), "formatted-text")
        ET.SubElement(text, "run").text = plain(one.description)
    return found


def _aggregation(one: Field) -> str:
    """Return how Tableau adds a field up by itself.

    What is kept at every cut, and every share, is never added up: the largest is shown instead, and the
    calculated fields have the sums.
    """
    if one.is_measure:
        return "Sum" if one.adds_up else "Max"
    return {"DATE": "Year", "TIMESTAMPTZ": "Year"}.get(one.kind, "Count")


def only(name: str, level: str, members: tuple[str, ...]) -> ET.Element:
    """Return the filter that leaves of the field *name* the *members* alone, as its *level* writes them."""
    found = ET.Element("filter", {"class": "categorical", "column": name})
    if len(members) == 1:
        ET.SubElement(found, "groupfilter", {
            "function": "member", "level": level, "member": members[0],
        })  # fmt: skip
        return found
    union = ET.SubElement(found, "groupfilter", {"function": "union"})
    for member in members:
        ET.SubElement(union, "groupfilter", {"function": "member", "level": level, "member": member})
    return found


def manifest(features: tuple[str, ...]) -> ET.Element:
    """Return the list of what a reader of the file has to know."""
    found = ET.Element("document-format-change-manifest")
    for feature in features:
        ET.SubElement(found, feature)
    return found


def written(root: ET.Element) -> bytes:
    """Return the bytes of a file, alike for what is alike."""
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def bracketed(name: str) -> str:
    """Return a name between brackets."""
    return "[" + plain(name).replace("]", "]]") + "]"


def quoted(text: str) -> str:
    """Return a text as Tableau writes a member of a field."""
    return '"' + plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def plain(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _UNFIT.sub("", text)


def identifier(name: str) -> str:
    """Return the identifier that Tableau wants of a sheet, the same for the same name."""
    return f"{{{str(uuid.uuid5(_SPACE, name)).upper()}}}"


def _unique(name: str) -> str:
    return uuid.uuid5(_SPACE, name).hex


def told_apart(captions: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each name with a caption that no other has: that of its table follows where two are equal.

    *captions* are names, captions, and captions of their tables.
    """
    taken: set[str] = set()
    for name, caption, table in captions:
        said = caption if caption.casefold() not in taken else f"{caption} ({table})"
        if said.casefold() in taken:
            said = f"{said} {name.strip('[]')}"
        taken.add(said.casefold())
        yield name, said
