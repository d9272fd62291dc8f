"""How to connect Power BI, Excel, Tableau and others to the same figures."""

from __future__ import annotations

from hub import tr
from hub_serve.pages.asked import Asked
from hub_serve.pages.blocks import Links, Page, Prose, Section

COMMAND = "hub token create powerbi --person anna.keller@example.org --days 90"


def connect(asked: Asked) -> Page:
    """Return the page of connections."""
    odata, old = f"{asked.root}/odata/v4/", f"{asked.root}/_api/ProjectData/"
    as_token = tr("When it asks how to sign in, choose Basic: any user name, and the token as the password.")
    return Page(
        place="/connect",
        title=tr("Connect"),
        lead=tr("The figures of these pages in other tools, by one address, with the rights of a token."),
        sections=[
            Section(
                id="token",
                title=tr("A token first"),
                blocks=[
                    Prose(
                        texts=[
                            tr("A tool signs in with a token. Who runs the hub makes one; it is shown once:")
                        ],
                        code=COMMAND,
                    ),
                    Prose(
                        texts=[
                            tr(
                                "A token has the level of detail and the rows that it was made for: with "
                                "--person those that access.csv allows that person."
                            )
                        ]
                    ),
                ],
            ),
            Section(
                id="powerbi",
                title="Power BI",
                blocks=[
                    Prose(texts=[tr("Home, Get data, OData feed, and this address:")], code=odata),
                    Prose(texts=[as_token, tr("The file below opens Power BI Desktop at this address.")]),
                    Links(links=[(tr("Connection file for Power BI (.pbids)"), "/connect/pm-hub.pbids")]),
                ],
            ),
            Section(
                id="excel",
                title="Excel",
                blocks=[
                    Prose(
                        texts=[tr("Data, Get Data, From Other Sources, From OData Feed, and this address:")],
                        code=odata,
                    ),
                    Prose(texts=[as_token]),
                    Links(links=[(tr("Connection file for Excel (.odc)"), "/connect/pm-hub.odc")]),
                ],
            ),
            Section(
                id="tableau",
                title="Tableau",
                blocks=[
                    Prose(
                        texts=[tr("Connect, To a Server, OData, and the address of a table, such as:")],
                        code=f"{odata}fact_kpi",
                    ),
                    Prose(texts=[as_token]),
                    Links(links=[(tr("Data source for Tableau (.tds)"), "/connect/pm-hub.tds")]),
                ],
            ),
            Section(
                id="old",
                title=tr("Reports of Project Online"),
                blocks=[
                    Prose(
                        texts=[
                            tr(
                                "A report that read Project Online lives on with this address in place of "
                                "that of its site:"
                            )
                        ],
                        code=old,
                    ),
                ],
            ),
            Section(
                id="programs",
                title=tr("Programs"),
                blocks=[
                    Prose(
                        texts=[tr("Any program reads it with the token as a bearer:")],
                        code=f'curl -H "Authorization: Bearer $TOKEN" "{odata}dim_project?$top=5"',
                    ),
                ],
            ),
        ],
    )
