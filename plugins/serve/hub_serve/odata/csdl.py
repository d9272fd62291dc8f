"""``$metadata``: the model as CSDL, in XML and in JSON, with the captions of the feed's language."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hub import Lang, column_captions, model, table_caption, tr
from hub_serve.expressions import FUNCTIONS
from hub_serve.odata.names import CONTAINER, NAMESPACE, collections, edm, navigations, partner

_VOCABULARIES = {
    "Core": "Org.OData.Core.V1",
    "Capabilities": "Org.OData.Capabilities.V1",
    "Aggregation": "Org.OData.Aggregation.V1",
}
_AT = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/"
_ABILITIES: dict[str, Any] = {
    "Core.ODataVersions": "4.0 4.01",
    "Capabilities.ConformanceLevel": "Intermediate",
    "Capabilities.SupportedFormats": ["application/json", "text/csv"],
    "Capabilities.AsynchronousRequestsSupported": False,
    "Capabilities.BatchSupported": True,
    "Capabilities.BatchContinueOnErrorSupported": True,
    "Capabilities.BatchSupport": {
        "Supported": True, "ContinueOnErrorSupported": True, "RequestDependencyConditionsSupported": False,
        "SupportedFormats": ["multipart/mixed", "application/json"],
    },
    "Capabilities.QuerySegmentSupported": True,
    "Capabilities.CrossJoinSupported": False,
    "Capabilities.KeyAsSegmentSupported": False,
    "Capabilities.FilterFunctions": [*FUNCTIONS, "cast"],
    "Aggregation.ApplySupported": {
        "Transformations": ["aggregate", "groupby", "filter", "compute"], "PropertyRestrictions": False,
    },
}  # fmt: skip
_READ_ONLY = {
    "Capabilities.InsertRestrictions": {"Insertable": False},
    "Capabilities.UpdateRestrictions": {"Updatable": False},
    "Capabilities.DeleteRestrictions": {"Deletable": False},
}


def as_json(lang: Lang) -> dict[str, Any]:
    """Return the model as a document of CSDL JSON 4.01, captions in *lang*."""
    schema: dict[str, Any] = {}
    container: dict[str, Any] = {"$Kind": "EntityContainer"}
    container |= {f"@{term}": value for term, value in _ABILITIES.items()}
    for name, table in model().tables.items():
        captions = column_captions(name, lang)
        entity: dict[str, Any] = {"$Kind": "EntityType", "$Key": list(table.key)}
        for column, facts in table.columns.items():
            kind, facets = edm(facts.type)
            one: dict[str, Any] = {} if kind == "Edm.String" else {"$Type": kind}
            one |= {f"${facet}": value for facet, value in facets.items()}
            if column not in table.key:
                one["$Nullable"] = True
            one["@Core.Description"] = captions[column]
            if facts.description:
                one["@Core.LongDescription"] = tr(facts.description)
            if table.adds_up(column):
                one["@Aggregation.Aggregatable"] = True
            entity[column] = one
        for nav, (column, target) in navigations(name).items():
            entity[nav] = {
                "$Kind": "NavigationProperty", "$Type": f"{NAMESPACE}.{target}", "$Nullable": True,
                "$Partner": partner(name, nav),
                "$ReferentialConstraint": {column: model().tables[target].key[0]},
                "@Core.Description": table_caption(target, lang),
            }  # fmt: skip
        for nav, members in collections(name).items():
            entity[nav] = {
                "$Kind": "NavigationProperty", "$Collection": True, "$Type": f"{NAMESPACE}.{members.table}",
                "$Partner": next(
                    way for way, one in navigations(members.table).items() if one == (members.column, name)
                ),
                "@Core.Description": table_caption(members.table, lang),
            }  # fmt: skip
        entity["@Core.Description"] = table_caption(name, lang)
        entity["@Core.LongDescription"] = tr(table.description)
        schema[name] = entity
        bindings = {nav: one.target for nav, one in navigations(name).items()}
        bindings |= {nav: members.table for nav, members in collections(name).items()}
        container[name] = {
            "$Collection": True, "$Type": f"{NAMESPACE}.{name}",
            **({"$NavigationPropertyBinding": bindings} if bindings else {}),
            "@Core.Description": table_caption(name, lang),
            **{f"@{key}": value for key, value in _READ_ONLY.items()},
        }  # fmt: skip
    schema[CONTAINER] = container
    return {
        "$Version": "4.01",
        "$EntityContainer": f"{NAMESPACE}.{CONTAINER}",
        "$Reference": {
            f"{_AT}{name}.json": {"$Include": [{"$Namespace": name, "$Alias": alias}]}
            for alias, name in _VOCABULARIES.items()
        },
        NAMESPACE: schema,
    }


def as_xml(lang: Lang, version: str) -> str:
    """Return the model as a document of CSDL XML of OData *version*, captions in *lang*.

    The same as `as_json`, which it is written from.
    """
    document = as_json(lang)
    schema = document[NAMESPACE]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<edmx:Edmx Version={quoteattr(version)} xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
    ]
    for alias, name in _VOCABULARIES.items():
        lines.append(
            f'<edmx:Reference Uri="{_AT}{name}.xml"><edmx:Include Namespace="{name}" Alias="{alias}"/>'
            "</edmx:Reference>"
        )
    lines.append(
        f'<edmx:DataServices><Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    )
    for name, entity in schema.items():
        if entity["$Kind"] == "EntityType":
            lines += _entity_xml(name, entity)
    lines.append(f'<EntityContainer Name="{CONTAINER}">')
    for name, one in schema[CONTAINER].items():
        if isinstance(one, dict) and one.get("$Collection"):
            bindings = one.get("$NavigationPropertyBinding", {})
            lines += [
                f'<EntitySet Name="{name}" EntityType="{one["$Type"]}">',
                *(f'<NavigationPropertyBinding Path="{at}" Target="{to}"/>' for at, to in bindings.items()),
                *_annotations_xml(one), "</EntitySet>",
            ]  # fmt: skip
    lines += [
        *_annotations_xml(schema[CONTAINER]),
        "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
    ]
    return "\n".join(lines)


def _entity_xml(name: str, entity: dict[str, Any]) -> list[str]:
    lines = [f'<EntityType Name="{name}"><Key>']
    lines += [f'<PropertyRef Name="{key}"/>' for key in entity["$Key"]]
    lines.append("</Key>")
    for prop, one in entity.items():
        if prop.startswith(("$", "@")):
            continue
        if one.get("$Kind") == "NavigationProperty":
            kind = f"Collection({one['$Type']})" if one.get("$Collection") else one["$Type"]
            nullable = "" if one.get("$Collection") else ' Nullable="true"'
            lines.append(
                f'<NavigationProperty Name="{prop}" Type="{kind}"{nullable} Partner="{one["$Partner"]}">'
            )
            lines += [
                f'<ReferentialConstraint Property="{own}" ReferencedProperty="{key}"/>'
                for own, key in one.get("$ReferentialConstraint", {}).items()
            ]
            lines += [*_annotations_xml(one), "</NavigationProperty>"]
            continue
        facets = "".join(
            f' {facet}="{one[f"${facet}"]}"' for facet in ("Precision", "Scale") if f"${facet}" in one
        )
        nullable = "" if one.get("$Nullable") else ' Nullable="false"'
        lines += [
            f'<Property Name="{prop}" Type="{one.get("$Type", "Edm.String")}"{nullable}{facets}>',
            *_annotations_xml(one), "</Property>",
        ]  # fmt: skip
    return [*lines, *_annotations_xml(entity), "</EntityType>"]


def _annotations_xml(one: dict[str, Any]) -> list[str]:
    lines = []
    for term, value in one.items():
        if not term.startswith("@"):
            continue
        if term == "@Capabilities.ConformanceLevel":  # the one value of an enumeration
            lines.append(f'<Annotation Term="{term[1:]}" EnumMember="{term[1:]}Type/{value}"/>')
        else:
            lines.append(f'<Annotation Term="{term[1:]}"{_value_xml(value)}')
    return lines


def _value_xml(value: Any) -> str:
    match value:
        case bool():
            return f' Bool="{str(value).lower()}"/>'
        case str():
            return f" String={quoteattr(value)}/>"
        case list():
            items = "".join(f"<String>{escape(one)}</String>" for one in value)
            return f"><Collection>{items}</Collection></Annotation>"
    listed = (f'<PropertyValue Property="{name}"{_property_xml(one)}' for name, one in value.items())
    return f"><Record>{''.join(listed)}</Record></Annotation>"


def _property_xml(value: Any) -> str:
    return _value_xml(value).replace("</Annotation>", "</PropertyValue>")
