"""The laws of tables are proven by mutants: a reader with one fault breaks the law that it is aimed at."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_tabular import (
    books,
    checking,
    clocks,
    levels,
    opendocument,
    reading,
    sheets,
    sums,
    tables,
    titles,
)
from hub_tabular import mapper as mapper_module
from hub_tabular import source as source_module
from hub_tabular.suggest import fields, shapes, weekdays, writing

import hub.cells.durations
import hub.cells.reader
import hub.files
from hub.store import Store
from hub.testing import store
from plugins.tabular.tests import (
    test_1904,
    test_files,
    test_hand_tables,
    test_hidden,
    test_odd_tables,
    test_suggest,
)

__all__ = ["store"]
Patch = Callable[[pytest.MonkeyPatch], None]


def put(owner: Any, name: str, value: Any) -> Patch:
    """Return a patch that replaces one thing."""
    return lambda patch: patch.setattr(owner, name, value)


def both(*patches: Patch) -> Patch:
    """Return several patches as one."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        for one in patches:
            one(monkeypatch)

    return patch


def _judge_with(change: Callable[[reading.Judged], None]) -> Patch:
    right = reading.Judge.judge

    def judge(self: reading.Judge) -> reading.Judged:
        found = right(self)
        change(found)
        return found

    return put(reading.Judge, "judge", judge)


def _fewer(found: reading.Judged) -> None:
    found.taken -= 1


def _first_row(found: reading.Judged) -> None:
    found.records = (found.records or [])[:-1]


def _with_hidden(file: str, names: list[str], visible: list[str], mapping: Any) -> list[str]:
    return [names[0]] if mapping.sheets is None and mapping.sheet == 0 else visible


_NO_OWNERS = put(reading.Owners, "other", lambda self, identity, key: None)
MUTANTS: dict[str, dict[str, tuple[Patch, str]]] = {
    "a row costs a row": {
        "skips_wrong_rows": (
            put(reading.Judge, "_reject", lambda *_: None), "test_a_wrong_cell_costs_its_row",
        ),
        "the_whole_file_or_nothing": (
            put(source_module, "too_many", lambda rejected, *_: rejected > 0),
            "test_a_wrong_cell_costs_its_row",
        ),
        "never_too_many": (
            put(source_module, "too_many", lambda *_: False),
            "test_too_many_wrong_rows_fail_the_file_before_it_is_written",
        ),
        "no_old_image": (
            put(mapper_module.RowMapper, "understood", lambda *_: {"seconds": -1}),
            "test_a_row_that_turns_wrong_and_right_again",
        ),
        "no_stake": (
            put(mapper_module.RowMapper, "stake", lambda *_: None), "test_a_wrong_cell_costs_its_row",
        ),
    },
    "accounts for all": {
        "tally_lies": (_judge_with(_fewer), "test_the_tally_of_a_file"),
        "loses_a_row": (_judge_with(_first_row), "test_the_tally_of_a_file"),
        "hidden_first": (
            put(sheets, "_chosen", _with_hidden), "test_a_hidden_sheet_is_not_taken_for_the_visible_one",
        ),
        "other_sheets_unsaid": (put(sheets, "_unread", lambda *_: []), "test_what_a_workbook_holds_besides"),
        "errors_are_empty": (
            put(books, "_fault", lambda *_: None), "test_errors_and_formulas_without_a_value",
        ),
        "binary_errors_are_empty": (
            put(books, "_of_binary", lambda *_: books.Inside()), "test_errors_in_binary_records",
        ),
        "a_sum_is_a_row": (put(sums.Sums, "refuse_sum", lambda *_: None), "test_a_sum_that_no_mapping_drops"),
        "merged_once": (
            put(sheets, "_fill", lambda *_: None), "test_merged_cells_stand_for_each_of_their_rows",
        ),
        "cells_may_move": (
            put(tables, "_unreadable", lambda *_: ""), "test_a_row_of_a_text_that_is_not_well",
        ),
        "header_is_a_row": (
            put(titles.Titles, "_again", lambda *_: None), "test_two_exports_put_together",
        ),
    },
    "one key, one row": {
        "by_file": (_NO_OWNERS, "test_two_versions_of_a_file_count_once"),
        "as_it_is_written": (
            put(mapper_module.RowMapper, "same", lambda *_: {}), "test_a_key_that_is_written_in_two_ways",
        ),
        "by_file_without_key": (_NO_OWNERS, "test_equal_rows_in_two_files_without_a_key"),
        "oldest_has_it": (
            put(source_module, "_by_age", lambda names: sorted(names, reverse=True)),
            "test_the_newest_file_has_the_key",
        ),
        "renamed_is_new": (
            put(source_module.TabularSource, "_renamed", lambda *_: None),
            "test_a_file_renamed_and_edited_is_the_same_file",
        ),
        "any_equal_row_is_a_copy": (
            both(put(reading, "SHARED_PART", 0.1), put(reading, "SHARED_ROWS", 1)),
            "test_a_few_equal_rows_are_no_copy",
        ),
    },
    "files that end": {
        "ends_do_not_matter": (
            put(source_module.TabularSource, "_lacking", lambda *_: iter(())),
            "test_a_file_without_its_last_line_end",
        ),
        "links_to_nothing": (put(hub.files, "_is_there", Path.is_file), "test_a_link_to_nothing"),
        "marks_may_stay_open": (put(sheets, "_fault_of", lambda *_: ""), "test_a_last_row_that_is_cut"),
        "any_short_row_is_cut": (
            put(tables.Table, "_cut", lambda self, sheet, number, heads, cells, *_: tables.Row(
                sheet.name, number, dict(zip(heads.names, cells, strict=False)))),
            "test_a_trailer_shows_that_a_file_is_whole",
        ),
    },
    "limits": {
        "any_size": (
            both(*(put(one, "check_size", lambda *_: None) for one in (source_module, books))),
            "test_a_file_that_is_too_large",
        ),
        "trusts_the_directory": (
            put(books, "_unpacked", lambda file, member, most: member.file_size),
            "test_a_workbook_that_unpacks_to_too_much",
        ),
        "any_width": (
            put(books.Limits, "columns", property(lambda self: 10**9)), "test_too_many_columns",
        ),
    },
    "holds the rows against what the file says": {
        "compares_no_sums": (put(sums.Sums, "_compare", lambda *_: None), "test_a_sum_that_the_file_states"),
        "any_sum_will_do": (put(sums, "_PART", 1.0), "test_a_sum_that_the_file_states"),
        "amounts_as_they_stand": (
            put(mapper_module, "_scale_of", lambda *_: None), "test_a_budget_in_thousands",
        ),
    },
    "reads odd tables": {
        "counts_from_1900": (
            put(books, "_zero", lambda _: books.SERIAL_ZERO), "test_a_workbook_of_the_1904_system",
        ),
        "levels_are_rows": (put(levels, "indent_of", lambda _: 0), "test_a_compact_pivot_table"),
        "outlines_unsaid": (
            put(sums, "sum_above", lambda *_: ""), "test_a_compact_pivot_table_that_lost_its_levels",
        ),
        "one_year_for_all": (
            put(hub.cells.reader, "_may_go_over", lambda *_: False), "test_weeks_of_several_sheets",
        ),
        "dashes_are_figures": (put(tables, "is_nothing", lambda cell: not cell), "test_dashes_in_a_crosstab"),
        "hidden_unsaid": (put(books, "_hidden", lambda _: 0), "test_hidden_rows_are_read_and_said"),
        "notes_are_rows": (
            put(titles.Titles, "is_note", lambda *_: False), "test_notes_below_a_table",
        ),
    },
    "says what it thinks": {
        "takes_the_first_reading": (
            put(fields, "day_parts", lambda *_: (['format = "%d/%m/%Y"'], "")),
            "test_a_day_that_could_be_two_is_asked",
        ),
        "drops_by_words": (
            put(writing, "_drops", lambda *_: ['drop = [{ matches = "(?i)^(total|somme)" }]']),
            "test_a_suggested_drop_never_drops_a_full_row",
        ),
        "start_is_the_effort": (
            put(shapes, "_hours_column", lambda *_: "Start time"), "test_hours_beside_start_and_end",
        ),
        "shows_nothing": (
            put(checking, "_table", lambda *_: iter(())), "test_the_check_shows_the_first_rows",
        ),
        "finds_all_plausible": (
            put(checking, "_doubts", lambda *_, **__: iter(())), "test_the_check_says_what_is_hardly_meant",
        ),
    },
}  # fmt: skip


def _not_zoned(self: clocks.Span, day: Any, moment: clocks.Moment) -> Any:
    return datetime.combine(day, time(), UTC) + moment.since


def _no_end_is_nothing(self: clocks.Span, start: Any, end: Any, end_day: Any = None) -> Any:
    return None if end in {None, ""} else _BETWEEN(self, start, end, end_day)


def _first_title(self: titles.Titles, cells: list[Any], at: int, first: str) -> bool:
    found = _CHANGE(self, cells, at, first)
    self.above = self._first_above
    return found


_BETWEEN, _CHANGE = clocks.Span.between, titles.Titles.change
MUTANTS |= {
    "hours by clocks": {
        name: (patch, "test_hours_by_when_they_began_and_ended")
        for name, patch in {
            "all_days_have_24_hours": put(clocks.Span, "_at", _not_zoned),
            "no_pause": put(mapper_module.RowMapper, "_pause", lambda *_: timedelta()),
            "no_end_is_nothing": put(clocks.Span, "between", _no_end_is_nothing),
        }.items()
    },
    "days of weeks": {
        "all_on_monday": (
            put(mapper_module.RowMapper, "_on_weekday", lambda self, name, field, row, of: of.isoformat()),
            "test_days_of_the_week",
        ),
        "the_first_title_holds": (put(titles.Titles, "change", _first_title), "test_days_of_the_week"),
        "all_weeks_are_named": (
            put(weekdays, "_week_of", lambda *_: weekdays._Week(column="#file", parts=['format = "week"'])),
            "test_columns_of_days_of_the_week",
        ),
    },
    "decimals": {
        name: (put(hub.cells.durations.Minutes, "are", property(lambda self, said=said: said)),
               "test_decimals_that_may_be_minutes")
        for name, said in {"never": "parts", "always": "minutes", "never_sure": "open"}.items()
    },
    "hidden": {
        name: (patch, "test_what_is_hidden_is_told_alike")
        for name, patch in {
            "opendocument_unsaid": put(opendocument, "_HIDDEN", frozenset()),
            "columns_unsaid": put(books, "_hidden_columns", lambda _: set()),
            "sheets_unsaid": put(sheets, "_told_hidden_sheets", lambda _: []),
        }.items()
    },
}  # fmt: skip
EACH = [
    pytest.param(patch, law, id=f"{kind}: {name}")
    for kind, mutants in MUTANTS.items()
    for name, (patch, law) in mutants.items()
]


def cases(law: Callable[..., None]) -> list[dict[str, Any]]:
    """Return the arguments of each case of a test, as its marks say them."""
    found: list[list[dict[str, Any]]] = []
    for mark in getattr(law, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names = mark.args[0]
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        found.append(
            [dict(zip(names, one if len(names) > 1 else [one], strict=True)) for one in mark.args[1]]
        )
    return [
        {name: value for part in parts for name, value in part.items()} for parts in itertools.product(*found)
    ]


def test_every_kind_has_three() -> None:
    assert all(len(mutants) >= 3 for mutants in MUTANTS.values())


@pytest.mark.parametrize(("patch", "law"), EACH)
def test_a_mutant_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch: Patch, law: str, proof: bool
) -> None:
    """A reader with this one fault breaks its law in one case at least; short tests take every third."""
    if not proof and [one.values for one in EACH].index((patch, law)) % 3:
        pytest.skip("make proof runs every mutant")
    laws = (test_files, test_suggest, test_odd_tables, test_1904, test_hidden, test_hand_tables)
    test: Callable[..., None] = next(getattr(one, law) for one in laws if hasattr(one, law))
    patch(monkeypatch)
    caught = False
    for number, case in enumerate(cases(test)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Store.open(folder / "hub.db") as opened:
            given = {
                "place": lambda folder=folder, opened=opened: test_files.Place(folder, opened),
                "tmp_path": lambda folder=folder: folder,
                "store": lambda opened=opened: opened,
            }
            wanted = {name: given[name]() for name in inspect.signature(test).parameters if name in given}
            try:
                test(**wanted, **case)
            except (AssertionError, LookupError, ValueError):  # what it looks for may not be there at all
                caught = True
                break

    assert caught
