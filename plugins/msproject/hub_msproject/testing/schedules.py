"""A folder of plans in Microsoft Project's XML, one file a plan.

It can be edited: the world of the certification.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from hub.testing.kit import FOLDER, FileWorld, Item, Ledger

NOTE = "a remark about a colleague"
SUMMARY = 1
TEXT1 = 188743731
PLANNED = "2024-04-02"


class Plans(Ledger, FileWorld):
    """Three plans; a task's work is what is logged on it, by day, and what is still planned for one day."""

    name = "plans"
    hours = (0.25, 1.1, 7.5, 2.0, 1 / 3)

    def container_count(self) -> int:
        """Let the portfolio grow, not its plans: a plan's tasks are in memory while it is read."""
        return 3 * self.scale

    def guid(self, container: str) -> str:
        """Return a plan's GUID, which is its identity."""
        return f"{int(container):08d}-2222-4333-8444-555555555555"

    def container_id(self, native: str) -> str:
        """Name a plan by its GUID."""
        return self.guid(native)

    def task_id(self, item: Item) -> str:
        """Name a task by its plan and UID."""
        return f"{self.guid(item.container)}/t/{item.native}"

    def days(self, item: Item) -> dict[str, int]:
        """Return the seconds done on an item, by day."""
        found: dict[str, int] = defaultdict(int)
        for log in self.logs.values():
            if log.item == item.native:
                found[log.started[:10]] += round(log.hours * 3600)
        return dict(sorted(found.items()))

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what a plan holds of a task."""
        done, remaining = sum(self.days(item).values()), round(item.hours * 3600)
        # a task without any work has no effort, rather than an effort of nothing
        effort = (done + remaining, done, remaining) if done or remaining else (None, None, None)
        fields = super().task_fields(item)
        return {name: fields[name] for name in ("title", "container_id")} | {
            "created_at": fields["created_at"][:17] + "00Z",  # Project works in minutes
            "wbs": item.key, "estimate_s": effort[0], "spent_s": effort[1], "remaining_s": effort[2],
            "status_native": "done" if item.done else "in_progress" if done else "todo",
            "parent_id": f"plans:{self.guid(item.container)}/t/{SUMMARY}",
            "code": str(item.native), "type_raw": "task", "is_milestone": 0,
            "constraint_type": "as_soon_as_possible",
            "planned_start_on": "2024-03-28", "planned_finish_on": PLANNED,
            "actual_start_on": min(self.days(item), default=None) if done else None,
            "actual_finish_on": "2024-04-01" if item.done else None,
            "assignee_id": self.person(item.container) if done or remaining else None,
        }  # fmt: skip

    def person(self, container: str) -> str:
        """Return the id of the one resource of a plan, as rows name it."""
        return f"plans:{self.guid(container)}/r/1"

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what the store must hold of a plan: its title, its file, and its day of 420 minutes."""
        return {
            "kind": "plan", "code": f"plan {native}", "name": self.containers[native],
            "url": f"{FOLDER}/plan {native}.xml", "archived": 0, "seconds_per_day": 420 * 60,
        }  # fmt: skip

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return plans, tasks and summaries, links, baselines, and the work that is done and planned."""
        seen = self.seen()
        tasks = {self.task_id(item): self.task_fields(item) for item in seen}
        found: dict[str, dict[str, dict[str, Any]]] = {
            name: {} for name in ("account", "assignment", "baseline", "worklog", "allocation", "task_link",
                                  "capacity", "custom_value")
        }  # fmt: skip
        for box in self.containers:
            plan = self.guid(box)
            tasks[f"{plan}/t/{SUMMARY}"] = {
                "kind": "summary", "type_raw": "summary", "estimate_s": None, "title": "Phase",
                "is_milestone": 0, "constraint_type": "as_soon_as_possible", "status_native": "todo",
            }  # fmt: skip
            found["account"][f"{plan}/r/1"] = {"display_name": "Engineer", "active": 1}
            # no calendar is written: the standard one has eight hours from Monday to Friday
            for week, seconds in (("1111100", 8 * 3600), ("0000011", 0)) if self.worked(box) else ():
                found["capacity"][f"{plan}/r/1/k/2024-03-25/{week}"] = {
                    "account_id": self.person(box), "container_id": f"plans:{plan}", "weekdays": week,
                    "start_on": "2024-03-25", "finish_on": "2024-04-07", "seconds": seconds,
                }  # fmt: skip
            inside = [item for item in seen if item.container == box]
            for before, item in pairwise(inside):
                found["task_link"][f"{plan}/l/{before.native}-{item.native}-FS"] = {
                    "from_id": f"plans:{self.task_id(before)}", "to_id": f"plans:{self.task_id(item)}",
                    "type": "FS", "lag_s": 0,
                }  # fmt: skip
        for item in seen:
            self._add_to(found, item)
        return {"container": super().truth()["container"], "task": tasks} | found

    def worked(self, container: str) -> bool:
        """Say whether a plan has any work."""
        return any(self.task_fields(one)["estimate_s"] for one in self.seen() if one.container == container)

    def _add_to(self, found: dict[str, dict[str, dict[str, Any]]], item: Item) -> None:
        """Add what hangs on a task."""
        plan, task, days = self.guid(item.container), self.task_id(item), self.days(item)
        names = {"task_id": f"plans:{task}", "account_id": self.person(item.container)}
        placed = names | {"container_id": f"plans:{plan}"}
        done, remaining = sum(days.values()), round(item.hours * 3600)
        found["baseline"][f"{task}/b0"] = {
            "task_id": f"plans:{task}", "start_on": "2024-03-28", "finish_on": "2024-04-02",
            "effort_s": 7 * 3600,
        }  # fmt: skip
        found["custom_value"][f"{task}/c/Lot"] = {
            "row_id": f"plans:{task}", "field": "Lot", "text": f"Lot {item.native % 3}"
        }  # fmt: skip
        work = f"{plan}/a/{item.native}"
        if done + remaining:
            found["assignment"][work] = names | {
                "start_on": "2024-03-28", "finish_on": PLANNED, "units": 1.0,
                "planned_s": done + remaining, "actual_s": done, "remaining_s": remaining,
            }  # fmt: skip
        for day, seconds in days.items():
            found["worklog"][f"{work}/w/{day}"] = placed | {"day": day, "seconds": seconds, "origin": "plan"}
        for day, seconds in (days | ({PLANNED: remaining} if remaining else {})).items():
            found["allocation"][f"{work}/p/{day}"] = placed | {
                "start_on": day, "finish_on": day, "seconds": seconds
            }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """Write each plan."""
        return {f"plan {number}.xml": self.plan(number).encode() for number in self.containers}

    def plan(self, container: str) -> str:
        """Return one plan, with a summary whose work is the roll-up of its tasks."""
        items = [item for item in self.seen() if item.container == container]
        total = sum(sum(self.days(item).values()) + round(item.hours * 3600) for item in items)
        head = (
            f"<GUID>{self.guid(container)}</GUID><Title>{self.containers[container]}</Title>"
            "<StartDate>2024-03-28T09:00:00</StartDate>"
            "<MinutesPerDay>420</MinutesPerDay><ExtendedAttributes><ExtendedAttribute>"
            f"<FieldID>{TEXT1}</FieldID>"
            "<FieldName>Text1</FieldName><Alias>Lot</Alias></ExtendedAttribute></ExtendedAttributes>"
        )
        summary = _task(SUMMARY, "Phase", 1, total, 0, "<Summary>1</Summary>")
        tasks = [self.task(item, before) for before, item in zip([None, *items], items, strict=False)]
        people = "<Resource><UID>1</UID><Name>Engineer</Name><Type>1</Type></Resource>"
        work = [self.assignment(item) for item in items]
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<Project xmlns="http://schemas.microsoft.com/project">'
            f"{head}<Tasks>{summary}{''.join(tasks)}</Tasks><Resources>{people}</Resources>"
            f"<Assignments>{''.join(work)}</Assignments></Project>"
        )

    def task(self, item: Item, before: Item | None) -> str:
        """Return one task, linked to the one before."""
        done = sum(self.days(item).values())
        link = (
            (
                f"<PredecessorLink><PredecessorUID>{before.native}</PredecessorUID>"
                "<Type>1</Type></PredecessorLink>"
            )
            if before
            else ""
        )
        return _task(
            item.native,
            item.title,
            2,
            done + round(item.hours * 3600),
            done,
            f"<WBS>{item.key}</WBS><CreateDate>{item.created[:19]}</CreateDate>"
            + (f"<ActualStart>{min(self.days(item))}T09:00:00</ActualStart>" if done else "")
            + ("<ActualFinish>2024-04-01T17:00:00</ActualFinish>" if item.done else "")
            + link
            + f"<ExtendedAttribute><FieldID>{TEXT1}</FieldID>"
            f"<Value>Lot {item.native % 3}</Value></ExtendedAttribute>"
            "<Baseline><Number>0</Number><Start>2024-03-28T09:00:00</Start>"
            "<Finish>2024-04-02T17:00:00</Finish><Work>PT7H0M0S</Work></Baseline>",
        )

    def assignment(self, item: Item) -> str:
        """Return the work of one task by day."""
        days = self.days(item)
        done, remaining = sum(days.values()), round(item.hours * 3600)
        if not done + remaining:
            return ""
        spans = "".join(_span(2, day, seconds) for day, seconds in days.items()) + (
            _span(1, PLANNED, remaining) if remaining else ""
        )
        return (
            f"<Assignment><UID>{item.native}</UID><TaskUID>{item.native}</TaskUID>"
            "<ResourceUID>1</ResourceUID>"
            f"<ActualWork>{_duration(done)}</ActualWork><Start>2024-03-28T09:00:00</Start>"
            f"<Finish>{PLANNED}T17:00:00</Finish>"
            f"<RemainingWork>{_duration(remaining)}</RemainingWork>"
            f"<Work>{_duration(done + remaining)}</Work><Notes>{NOTE}</Notes>{spans}</Assignment>"
        )


def _duration(seconds: int) -> str:
    return f"PT{seconds // 3600}H{seconds // 60 % 60}M{seconds % 60}S"


def _span(kind: int, day: str, seconds: int) -> str:
    return (
        f"<TimephasedData><Type>{kind}</Type><Start>{day}T09:00:00</Start><Finish>{day}T17:00:00</Finish>"
        "<Unit>2</Unit>"
        f"<Value>{_duration(seconds)}</Value></TimephasedData>"
    )


def _task(uid: int, title: str, level: int, work: int, done: int, more: str) -> str:
    return (
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>{escape(title)}</Name>"
        f"<OutlineLevel>{level}</OutlineLevel>"
        f"<Start>2024-03-28T09:00:00</Start><Finish>{PLANNED}T17:00:00</Finish><Work>{_duration(work)}</Work>"
        f"<ActualWork>{_duration(done)}</ActualWork>"
        f"<RemainingWork>{_duration(work - done)}</RemainingWork>{more}</Task>"
    )
