"""The digest: sent when there is news, once, and never lost."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_papers.digest import STATE, DigestDestination, body, why

from hub import Container, DeliveryContext, DeliveryError, Project, Secret, Story, Task, tell
from hub.records import Assessment
from hub.store import Store
from hub.testing import kept_feed, view_of

TODAY = date.today()


class Mail:
    """What Apprise was asked to send."""

    def __init__(self) -> None:
        self.works = True
        self.sent: list[dict[str, Any]] = []


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Mail:
    import apprise

    found = Mail()

    def notify(self: Any, **said: Any) -> bool:
        if found.works:
            found.sent.append(said)
        return found.works

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    monkeypatch.setenv("MAIL", "json://localhost/s3cret")
    return found


def said(store: Store, rag: str) -> None:
    store.register_source(
        "plans", kind="t", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=360000
    )
    run = store.begin_run("plans", "full")
    store.write_batch(
        [
            Project(id="plans:A", code="A", name="Alpha"),
            Container(id="plans:c", kind="plan", code="A", name="A"),
            Task(id="plans:t", container_id="plans:c", title="Build"),
            Assessment(
                id="plans:s", project_code="A", day=str(TODAY - timedelta(days=1)), axis="overall", rag=rag
            ),
        ],
        run_id=run,
        source_id="plans",
    )
    store.end_run(run, "ok")


def deliver(rag: str, base: Path, *, next_day: date | None = None, **more: Any) -> tuple[str, ...]:
    to = (Secret("env", "MAIL", base),)
    digest = DigestDestination(name="digest", path="digest", to=to, **more)
    with view_of(kept_feed(said, rag)) as view:
        manifest = view.manifest | {
            "next_committee": next_day.isoformat() if next_day else None, "complete": True, "sources": []
        }  # fmt: skip
        fresh = msgspec.structs.replace(view, manifest=manifest)
        context = DeliveryContext(base=base, name="digest", session=lambda: None)
        return digest.deliver(context, fresh).notes


@pytest.mark.long
def test_it_is_sent_on_change_only(tmp_path: Path, mail: Mail) -> None:
    """First once; then when a colour changes; a night without news sends nothing."""
    first = deliver("green", tmp_path)
    quiet = deliver("green", tmp_path)
    changed = deliver("red", tmp_path)

    assert ("digest sent: the first digest",) == first
    assert ("nothing new: no digest was sent",) == quiet
    assert ("digest sent: A: green → red",) == changed
    assert 2 == len(mail.sent)
    assert "1 red of 1" in mail.sent[1]["title"]
    assert "1 project: 1 red" in mail.sent[1]["body"]
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in mail.sent[1]["attach"])


def test_what_could_not_be_sent_is_sent_later(tmp_path: Path, mail: Mail) -> None:
    """A mail server that is down fails the delivery, shows no address, and costs no news."""
    mail.works = False
    with pytest.raises(DeliveryError) as failed:
        deliver("green", tmp_path)
    mail.works = True
    later = deliver("green", tmp_path)

    assert "s3cret" not in str(failed.value)
    assert ("digest sent: the first digest",) == later
    assert 0o600 == (tmp_path / "digest" / STATE).stat().st_mode & 0o777


def test_a_committee_that_is_near_is_told_once(tmp_path: Path, mail: Mail) -> None:
    """Two days before it, not five; and not again the next night."""
    deliver("green", tmp_path)
    far = deliver("green", tmp_path, next_day=TODAY + timedelta(days=5))
    near = deliver("green", tmp_path, next_day=TODAY + timedelta(days=2))
    again = deliver("green", tmp_path, next_day=TODAY + timedelta(days=2))

    assert "nothing new" in far[0]
    assert "the committee of" in near[0]
    assert "nothing new" in again[0]


def test_a_damaged_memory_is_no_memory(tmp_path: Path, mail: Mail) -> None:
    """It tells too much rather than nothing, and a lacking attachment is named, not fatal."""
    (tmp_path / "digest").mkdir()
    (tmp_path / "digest" / STATE).write_text("{")
    found = deliver("green", tmp_path, attach=("papers/latest/deck.pptx",))

    assert "the first digest" in found[0]
    assert "deck.pptx is not there" in found[1]
    assert {"A", "*"} == json.loads((tmp_path / "digest" / STATE).read_text())["state"].keys()


def test_a_project_that_left_is_news() -> None:
    """One that is no longer followed is told, as is one that came."""
    with view_of(kept_feed(said, "green")) as view:
        story: Story = tell(view, lang="en")

    assert ["A: no weather → green", "Z: no longer followed"] == list(
        why(story, {"state": {"*": "complete" if story.complete else "incomplete", "Z": "red"}}, 2)
    )
    assert any("1 green" in line for line in body(story, ["x"]))
