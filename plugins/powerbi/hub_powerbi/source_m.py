"""The queries (M) that bring the tables of the feed into Power BI, from wherever the files lie."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from hub import ConfigError, model, tr
from hub_powerbi.made import steps as made_steps

_TYPES = {
    "BIGINT": "Int64.Type",
    "DOUBLE": "type number",
    "DECIMAL(18,2)": "Currency.Type",
    "VARCHAR": "type text",
    "DATE": "type date",
    "TIMESTAMPTZ": "type datetime",
}
# instants come with their zone, which a conversion to a plain one would take away by the clock of the
# machine that refreshes; references come as columns of whole tables unless they are refused
_FROM_POSTGRESQL = """(name as text) as table =>
\tlet
\t\trows = PostgreSQL.Database(HubLocation, HubDatabase, [CreateNavigationProperties = false])\
{[Schema = HubSchema, Item = name]}[Data],
\t\tinstants = Table.ColumnsOfType(rows, {type datetimezone, type nullable datetimezone}),
\t\tutc = (moment) => DateTimeZone.RemoveZone(DateTimeZone.ToUtc(moment))
\tin
\t\tTable.TransformColumns(rows, List.Transform(instants, \
(column) => {column, utc, type nullable datetime}))"""


def m_text(text: str) -> str:
    """Write *text* as M does."""
    return '"' + text.replace('"', '""') + '"'


def parameters(location: str) -> dict[str, str]:
    """Return the expressions of the parameters that say where the feed lies, by name.

    The service and Desktop can change them without a new model.
    """
    found = {"HubLocation": location}
    if base := database(location):
        server, name, schema = base
        found = {"HubLocation": server, "HubDatabase": name, "HubSchema": schema}
    return {
        name: f'{m_text(value)} meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
        for name, value in found.items()
    }


def database(location: str) -> tuple[str, str, str] | None:
    """Return server, database and schema of ``postgresql://server/database/schema``.

    None for a place of files. Raises `ConfigError`.
    """
    parts = urlsplit(location)
    if parts.scheme not in {"postgresql", "postgres"}:
        return None
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if not parts.hostname or len(names) != 2 or not all(names):
        raise ConfigError(
            tr(
                "The location {location} is not of the form postgresql://server/database/schema.",
                location=location,
            )
        )
    return parts.netloc, names[0], names[1]


def reader(location: str) -> str:
    """Return the M function that reads a table of the feed from where `parameters` say.

    A folder, an address, SharePoint, OneLake or PostgreSQL.

    Raises `ConfigError` for an address of another kind.
    """
    if database(location):
        return _FROM_POSTGRESQL
    parts = urlsplit(location)
    if parts.scheme in {"http", "https"} and parts.hostname:
        if parts.scheme == "http":
            raise ConfigError(
                tr(
                    "The location {location} is not encrypted: give an https address, a folder or a share.",
                    location=location,
                )
            )
        if parts.hostname.endswith(".sharepoint.com"):
            site = "/".join(location.split("/")[:5])
            opened = (
                f"SharePoint.Files({m_text(site)}, [ApiVersion = 15]){{[Name = file, "
                '#"Folder Path" = HubLocation & "/"]}[Content]'
            )
        elif parts.hostname.startswith("onelake."):
            opened = (
                "AzureStorage.DataLake(HubLocation){[Name = file, "
                '#"Folder Path" = HubLocation & "/"]}[Content]'
            )
        else:
            opened = "Web.Contents(HubLocation, [RelativePath = file])"
    elif parts.scheme and len(parts.scheme) > 1:  # one letter is a drive of Windows
        raise ConfigError(
            tr(
                "The location {location} is neither a folder, a share, an https address nor "
                "postgresql://server/database/schema.",
                location=location,
            )
        )
    else:
        opened = r'File.Contents(HubLocation & (if Text.Contains(HubLocation, "\") then "\" else "/") & file)'
    return (
        '(name as text) as table =>\n\tlet\n\t\tfile = name & ".parquet"\n\tin\n'
        f"\t\tParquet.Document({opened})"
    )


def query(table: str, *, lang: str, range_on: str | None = None) -> str:
    """Return the query of one table with the types of the model, and columns made in the words of *lang*.

    *range_on* is the date column of an incremental refresh.
    """
    types = ", ".join(
        f"{{{m_text(name)}, {_TYPES[column.type]}}}" for name, column in model().tables[table].columns.items()
    )
    steps = [
        f"Rows = HubTable({m_text(table)})",
        f'Typed = Table.TransformColumnTypes(Rows, {{{types}}}, "en-US")',
    ]
    last = "Typed"
    for name, text in made_steps(table, lang, last):
        steps.append(f"{name} = {text}")
        last = name
    if range_on:
        steps.append(
            f"InRange = Table.SelectRows({last}, "
            f"each [{range_on}] >= Date.From(RangeStart) and [{range_on}] < Date.From(RangeEnd))"
        )
        last = "InRange"
    return "let\n" + ",\n".join(f"\t{step}" for step in steps) + f"\nin\n\t{last}"


def sas_free(location: str) -> str:
    """Return *location* as it may be shown and kept.

    Raises `ConfigError` for an address with a key or password in it.
    """
    parts = urlsplit(location)
    if parts.query or parts.username or parts.password or parts.fragment:
        raise ConfigError(
            tr(
                "The location of a Power BI project stands in its files in clear: give the address "
                "without key, signature, name or password; Power BI asks for the credentials once "
                "and keeps them."
            )
        )
    return location
