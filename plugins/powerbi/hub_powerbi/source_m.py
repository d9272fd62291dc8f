"""The queries (M) that bring the tables of the feed into Power BI, from wherever the files lie."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub import ConfigError, model
from hub_powerbi.names import MONTH, MONTHS

_TYPES = {
    "BIGINT": "Int64.Type", "DOUBLE": "type number", "DECIMAL(18,2)": "Currency.Type", "VARCHAR": "type text", "DATE": "type date",
    "TIMESTAMPTZ": "type datetime",
}  # fmt: skip


def m_text(text: str) -> str:
    """Write *text* as M does."""
    return '"' + text.replace('"', '""') + '"'


def parameter(location: str) -> str:
    """Give the expression of the parameter that says where the files lie; the service and Desktop can change it without a new model."""
    return f'{m_text(location)} meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'


def reader(location: str) -> str:
    """Give the function that opens a table's file below HubLocation: in a folder, at an address, in SharePoint or in OneLake.

    Raises `ConfigError` for an address of another kind.
    """
    parts = urlsplit(location)
    if parts.scheme in {"http", "https"} and parts.hostname:
        if parts.scheme == "http":
            raise ConfigError(f"The location {location} is not encrypted: give an https address, a folder or a share.")
        if parts.hostname.endswith(".sharepoint.com"):
            site = "/".join(location.split("/")[:5])
            opened = f'SharePoint.Files({m_text(site)}, [ApiVersion = 15]){{[Name = file, #"Folder Path" = HubLocation & "/"]}}[Content]'
        elif parts.hostname.startswith("onelake."):
            opened = 'AzureStorage.DataLake(HubLocation){[Name = file, #"Folder Path" = HubLocation & "/"]}[Content]'
        else:
            opened = "Web.Contents(HubLocation, [RelativePath = file])"
    elif parts.scheme and len(parts.scheme) > 1:  # one letter is a drive of Windows
        raise ConfigError(f"The location {location} is neither a folder, a share nor an https address.")
    else:
        opened = r'File.Contents(HubLocation & (if Text.Contains(HubLocation, "\") then "\" else "/") & file)'
    return f'(name as text) as binary =>\n\tlet\n\t\tfile = name & ".parquet"\n\tin\n\t\t{opened}'


def query(table: str, *, range_on: str | None = None) -> str:
    """Give the query of one table with the types of the model; *range_on* is the date column of an incremental refresh."""
    types = ", ".join(f"{{{m_text(name)}, {_TYPES[column.type]}}}" for name, column in model().tables[table].columns.items())
    steps = [
        f"Rows = Parquet.Document(HubFile({m_text(table)}))",
        f'Typed = Table.TransformColumnTypes(Rows, {{{types}}}, "en-US")',
    ]
    last = "Typed"
    if table in MONTHS:
        steps.append(
            f'Dated = Table.AddColumn(Typed, {m_text(MONTH)}, each Date.FromText([year_month] & "-01", [Format = "yyyy-MM-dd"]), type date)'
        )
        last = "Dated"
    if range_on:
        steps.append(
            f"InRange = Table.SelectRows({last}, each [{range_on}] >= Date.From(RangeStart) and [{range_on}] < Date.From(RangeEnd))"
        )
        last = "InRange"
    return "let\n" + ",\n".join(f"\t{step}" for step in steps) + f"\nin\n\t{last}"


def sas_free(location: str) -> str:
    """Give *location* as it may be shown and kept. Raises `ConfigError` for an address with a key or password in it."""
    parts = urlsplit(location)
    if parts.query or parts.username or parts.password or parts.fragment:
        raise ConfigError(
            "The location of a Power BI project stands in its files in clear: give the address without key, signature, name or password; "
            "Power BI asks for the credentials once and keeps them."
        )
    return location
