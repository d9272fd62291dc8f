"""The digest: the synthesis in a mail or on a card, when something changed or a committee is near."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from hub import (
    Check,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    Secret,
    Story,
    chart,
    day,
    folder_check,
    send,
    speaking,
    tell,
    tr,
    write_atomically,
)
from hub_papers.charts import render

STATE = "digest.json"
PICTURES = ("weather", "waterfall", "slips", "roadmap", "risks")
"""The charts of a digest: the first two that have something to draw."""
_SYMBOLS = {"red": "■", "amber": "▲", "green": "●", "grey": "◇", None: "·"}
_MOST = 3


class DigestDestination(Destination, frozen=True, kw_only=True):
    """The committee's synthesis in ten lines, with two charts, sent to the Apprise addresses *to*.

    It is sent when the weather of a project or the completeness of the data changed, and once *days_before* a
    dated committee. ``<path>/digest.json`` remembers what was sent. *attach* names files to send along, such
    as the newest deck.
    """

    kind: ClassVar[str] = "digest"

    path: str
    to: tuple[Secret, ...]
    attach: tuple[str, ...] = ()
    days_before: Annotated[int, msgspec.Meta(ge=0, le=31)] = 2

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written; nobody is written to."""
        yield folder_check(ctx.resolve(self.path))

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Send the digest of *feed* where there is a reason to; what could not be sent is tried again."""
        folder = ctx.resolve(self.path)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = _remembered(folder / STATE)
        story = tell(feed)
        state = state_of(story)
        where = Delivery(where=str(folder), rows={})
        with speaking(story.lang):
            if feed.manifest["moment"][:10] < feed.manifest["built_at"][:10]:
                return msgspec.structs.replace(where, notes=(tr("a feed of the past: no digest"),))
            reasons = list(why(story, known, self.days_before))
            if not reasons:
                return msgspec.structs.replace(where, notes=(tr("nothing new: no digest was sent"),))
            files = [*_pictures(story, folder), *(ctx.resolve(name) for name in self.attach)]
            lacking = [path for path in files if not path.is_file()]
            red = any(line.rag == "red" for line in story.synthesis)
            problems, sent = send(
                self.to, title=title_of_mail(story), body="\n".join(body(story, reasons)),
                kind="warning" if red else "info", attach=[path for path in files if path.is_file()],
            )  # fmt: skip
            if not sent:
                raise DeliveryError(" ".join(problems) or tr("[destinations] to: nobody is to be told."))
            remembered = {
                "feed": story.feed_id,
                "state": state,
                "committee": story.next_committee.isoformat(),
            }
            if not _is_near(story, self.days_before):
                remembered["committee"] = known.get("committee", "")
            with write_atomically(folder / STATE, mode=0o600) as file:
                file.write(json.dumps(remembered, ensure_ascii=False, indent=1).encode())
            notes = [tr("{path} is not there to be attached", path=path) for path in lacking]
            return msgspec.structs.replace(
                where, notes=(tr("digest sent: {why}", why=reasons[0]), *problems, *notes)
            )


def _remembered(path: Path) -> dict[str, Any]:
    """Return what was sent last; nothing where nothing was, or where the file was damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def state_of(story: Story) -> dict[str, str]:
    """Return what a change of is news: the colour of each project, and whether the data is whole."""
    return {
        **{one.code: one.weather or "" for one in story.projects},
        "*": "complete" if story.complete else "incomplete",
    }


def _is_near(story: Story, days_before: int) -> bool:
    left = story.next_committee - story.as_of
    return story.is_next_known and timedelta(0) < left <= timedelta(days=days_before)


def why(story: Story, known: dict[str, Any], days_before: int) -> Iterator[str]:
    """Yield why a digest is sent: the first one, another colour or completeness, a committee that is near."""
    before, now = known.get("state"), state_of(story)
    if not isinstance(before, dict):
        yield tr("the first digest")
    else:
        for code in sorted(now.keys() | before.keys()):
            if code == "*" and before.get(code) != now.get(code):
                yield tr("the data is complete again") if story.complete else tr("the data is incomplete")
            elif code in now and before.get(code) != now[code]:
                colours = [_colour(before.get(code) or ""), _colour(now[code])]
                yield tr("{code}: {before} → {after}", code=code, before=colours[0], after=colours[1])
            elif code not in now:
                yield tr("{code}: no longer followed", code=code)
    if _is_near(story, days_before) and known.get("committee") != story.next_committee.isoformat():
        yield tr("the committee of {day} is near", day=day(story.next_committee))


def _colour(rag: str) -> str:
    return {"red": tr("red"), "amber": tr("amber"), "green": tr("green")}.get(rag, tr("no weather"))


def title_of_mail(story: Story) -> str:
    """Return the subject: what it is of, and how many projects are red."""
    red = sum(1 for one in story.projects if one.weather == "red")
    return tr(
        "Portfolio on {day}: {red} red of {total}", day=day(story.as_of), red=red, total=len(story.projects)
    )


def body(story: Story, reasons: list[str]) -> Iterator[str]:
    """Yield the lines of the digest: why it is sent, the synthesis, what to look at before the committee."""
    yield tr("Why now: {why}", why=tr("; ").join(reasons[:8]))
    yield ""
    for line in story.synthesis[:10]:
        yield f"{_SYMBOLS[line.rag]} {line.text}"
    asked = [
        tr("Decide: {title} ({project})", title=one.title, project=story.code_of(one.project_key))
        for one in story.decisions[:_MOST]
    ] + [
        tr("Late: {title} ({project})", title=one.title, project=story.code_of(one.project_key))
        for one in story.milestones if one.state == "late"
    ][:_MOST] + [
        tr("Declared green, computed red: {project}, {reason}", project=one.code, reason=one.reason or "")
        for one in story.projects if one.is_contradicted
    ][:_MOST]  # fmt: skip
    if asked:
        yield ""
        yield tr("To look at before the committee of {day}:", day=day(story.next_committee))
        yield from (f"– {line}" for line in asked)


def _pictures(story: Story, folder: Path) -> Iterator[Path]:
    drawn = 0
    for name in PICTURES:
        if drawn < 2 and (spec := chart(name, story)) is not None:
            path = folder / f"{name}.png"
            with write_atomically(path, mode=0o600) as file:
                file.write(render(spec, "png", story.lang, scale=1.5))
            drawn += 1
            yield path
