"""What the figures stand on: sources and how fresh they are, what could not be taken, quality."""

from __future__ import annotations

from typing import Any

from hub import day, number, spoken_check, spoken_measure, spoken_reason, tr
from hub_serve.pages.asked import Asked, hours
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Column,
    Page,
    Prose,
    Section,
    Table,
    capital,
    count,
    date_of,
    ratio,
    words,
)


def sources(asked: Asked) -> Page:
    """Return the page of sources and quality."""
    return Page(
        place="/sources",
        title=tr("Sources and quality"),
        lead=tr(
            "What the figures stand on: how fresh it is, what is held or could not be taken, and what is "
            "wrong in it."
        ),
        sections=[_sources(asked), *_held(asked), _rejections(asked), _quality(asked), *_not_counted(asked)],
    )


def _sources(asked: Asked) -> Section:
    verdicts = {
        "ok": Cell(text=tr("complete"), rag="green"),
        "partial": Cell(text=tr("partial"), rag="amber"),
        "failed": Cell(text=tr("failed"), rag="red"),
        "interrupted": Cell(text=tr("interrupted"), rag="red"),
    }
    told = {one["name"]: one for one in asked.view.manifest.get("sources", [])}
    rows = []
    for one in asked.listed("sources"):
        at = one["last_success_at"]
        verdict = one["verdict"] or told.get(one["name"], {}).get("verdict") or ""
        rows.append(
            [
                Cell(text=one["name"], note=one["plugin"]),
                verdicts.get(verdict, words(verdict)),
                Cell(
                    text=f"{day(at.date())} {at:%H:%M}" if at else tr("never"),
                    order=at.isoformat() if at else "",
                ),
                Cell()
                if one["fresh"] is None
                else Cell(text=tr("fresh"), rag="green")
                if one["fresh"]
                else Cell(text=tr("too old"), rag="red"),
                Cell(
                    text=number(one["score"], ".0f") if one["score"] is not None else "–",
                    order=-1 if one["score"] is None else one["score"],
                ),
                count(one["tasks"]),
                count(one["worklogs"]),
            ]
        )
    table = Table(
        caption=tr("Sources, with their last complete run (UTC)"),
        rows=rows,
        sortable=True,
        empty=tr("No source is known."),
        columns=(
            Column(name=tr("Source"), wide=True),
            Column(name=tr("Last run")),
            Column(name=tr("Complete on")),
            Column(name=tr("Freshness")),
            Column(name=tr("Quality"), align="right"),
            Column(name=tr("Tasks"), align="right", spare=True),
            Column(name=tr("Lines of hours"), align="right", spare=True),
        ),
    )
    blocks: list[Block] = [table]
    if asked.sees_all and asked.story.is_now:
        missing = [
            f"{one['name']}{tr(': ')}{text}" for one in told.values() for text in one.get("missing", [])
        ]
        if missing:
            blocks.append(Prose(texts=[tr("Missing since the last complete run:"), *missing]))
    return Section(id="sources", title=tr("Sources"), blocks=blocks)


def _held(asked: Asked) -> list[Section]:
    """Say what left a tool and is held until somebody accepts it; the whole portfolio's alone."""
    if not asked.sees_all or not asked.story.is_now:
        return []
    rows = [
        [Cell(text=one["name"]), count(one["held_rows"]), Cell(text=hours(one["held_hours"]))]
        for one in asked.view.manifest.get("sources", [])
        if one.get("held_rows")
    ]
    return [
        Section(
            id="held",
            title=tr("Presence at stake"),
            blocks=[
                Table(
                    caption=tr(
                        "Rows that left their tool and are held until somebody accepts it (`hub presence`)"
                    ),
                    rows=rows,
                    empty=tr("Nothing is held: every row that the figures count is there in its tool."),
                    columns=(
                        Column(name=tr("Source")),
                        Column(name=tr("Rows"), align="right"),
                        Column(name=tr("Hours at stake"), align="right"),
                    ),
                )
            ],
        )
    ]


def _rejections(asked: Asked) -> Section:
    if not asked.story.is_now:
        return Section(
            id="rejections",
            title=tr("Rejections"),
            blocks=[Prose(texts=[tr("A cut keeps no rejections: look at them as they are now.")])],
        )
    rows, pager = asked.paged("rejections", "/sources")
    told = [
        [
            Cell(text=one["record"] or "–", note=one["source"]),
            Cell(text=asked.project(one["project_key"])[0]),
            words(one["place"]),
            Cell(text=one["field"] or "–", note=one["value"] or ""),
            words(one["reason"]),
            Cell(text=hours(one["hours"]), order=one["hours"] or 0),
            Cell(text=number(float(one["amount"]), ",.2f") if one["amount"] is not None else "–"),
            date_of(one["first_seen_date"]),
            Cell(text=tr("yes") if one["is_accepted"] else tr("no")),
        ]
        for one in rows
    ]
    notes: list[Block] = []
    if rows and asked.story.privacy != "nominative-line":
        text = tr(
            "Where a row lies and what it holds may name persons: your level of detail does not show it."
        )
        notes.append(Prose(texts=[text]))
    return Section(
        id="rejections",
        title=tr("Rejections"),
        blocks=[
            *notes,
            Table(
                caption=tr("What could not be taken, and what the figures lack"),
                rows=told,
                pager=pager,
                dense=True,
                empty=tr("Nothing was rejected that you may see."),
                columns=(
                    Column(name=tr("What"), wide=True),
                    Column(name=tr("Project")),
                    Column(name=tr("Place"), spare=True),
                    Column(name=tr("Field")),
                    Column(name=tr("Reason"), wide=True, spare=True),
                    Column(name=tr("Hours"), align="right"),
                    Column(name=tr("Amount"), align="right"),
                    Column(name=tr("Since"), align="right", spare=True),
                    Column(name=tr("Accepted"), align="center"),
                ),
            ),
        ],
    )


def _quality(asked: Asked) -> Section:
    rows = [
        [
            Cell(text=capital(spoken_check(one["check_code"])), note=one["check_code"]),
            count(one["checked"]),
            Cell(
                text=number(one["failed"]),
                order=one["failed"],
                bar=one["failed"] / one["checked"] if one["failed"] else None,
            ),
            ratio(one["failed"], one["checked"]),
            count(one["projects"]),
            count(one["weight"], "g"),
        ]
        for one in asked.listed("checks")
    ]
    table = Table(
        caption=tr("Checks, what fails most first"),
        rows=rows,
        sortable=True,
        empty=tr("No check was made of what you may see."),
        columns=(
            Column(name=tr("Check"), wide=True),
            Column(name=tr("Checked"), align="right", spare=True),
            Column(name=tr("Failed"), align="right"),
            Column(name=tr("Share"), align="right"),
            Column(name=tr("Projects"), align="right"),
            Column(name=tr("Weight"), align="right", spare=True),
        ),
    )
    scores = [
        [
            Cell(text=one.name, note=one.code, href=asked.to(f"/projects/{one.code}")),
            Cell(text=number(score, ".0f"), order=score, bar=score / 100),
            Cell(text=tr("Rows"), href=asked.to("/figures/DQ_SCORE/rows", project=one.code)),
        ]
        for one in asked.story.projects
        if (score := one.value("DQ_SCORE.score")) is not None
    ]
    scores.sort(key=lambda row: row[1].order if isinstance(row[1].order, (int, float)) else 0)
    low = Table(
        caption=tr("Quality score of the projects (100 is best), the lowest first"),
        rows=scores[:12],
        empty=tr("No score is known."),
        columns=(
            Column(name=tr("Project"), wide=True),
            Column(name=tr("Score"), align="right"),
            Column(name=tr("Behind it"), align="center"),
        ),
    )
    return Section(id="quality", title=tr("Quality"), blocks=[table], beside=[low])


def _not_counted(asked: Asked) -> list[Section]:
    """List what the figures leave out, and statuses that mean nothing yet; the whole portfolio's alone."""
    manifest: dict[str, Any] = asked.view.manifest
    if not asked.sees_all or not asked.story.is_now:
        return []
    names = {"seconds": tr("hours worked"), "planned_s": tr("planned hours")}
    out = [
        [
            Cell(text=capital(spoken_reason(one["reason"]))),
            Cell(text=names.get(one["measure"], spoken_measure(one["measure"]))),
            count(one["rows"]),
            Cell(
                text=hours(one["amount"] / 3600)
                if one["measure"] in names
                else number(one["amount"], ",.0f")
                if one["amount"] is not None
                else "–"
            ),
        ]
        for one in manifest.get("excluded", [])
    ]
    unmapped = [
        [Cell(text=one["status"]), Cell(text=one["source"]), count(one["tasks"])]
        for one in manifest.get("unmapped", [])
    ]
    return [
        Section(
            id="left-out",
            title=tr("Not counted"),
            blocks=[
                Table(
                    caption=tr("What the figures leave out, and why"),
                    rows=out,
                    empty=tr("Everything counts."),
                    dense=True,
                    columns=(
                        Column(name=tr("Reason"), wide=True),
                        Column(name=tr("Of what")),
                        Column(name=tr("Rows"), align="right"),
                        Column(name=tr("How much"), align="right"),
                    ),
                )
            ],
            beside=[
                Table(
                    caption=tr("Statuses that mean nothing yet (statuses.csv)"),
                    rows=unmapped,
                    empty=tr("Every status has its meaning."),
                    dense=True,
                    columns=(
                        Column(name=tr("Status")),
                        Column(name=tr("Source")),
                        Column(name=tr("Tasks"), align="right"),
                    ),
                )
            ],
        )
    ]
