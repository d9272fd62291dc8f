"""The kit is proven by mutants: a correct connector is Gold on every seed.

One fault fails, and by the right law.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from acme import AcmeCertification
from hub_files.testing.certification import FilesCertification
from hub_msproject.testing.certification import MsProjectCertification
from hub_tabular.testing.certification import HoursCertification, TasksCertification
from paper import PaperCertification
from shelf import ShelfCertification

from hub.testing import HubResult
from hub.testing.kit import certify
from hub.testing.kit.checks import CHECKS

pytestmark = pytest.mark.proof("kit")
MUTANTS = {
    "first_page_only": "reads-everything",
    "rollup_counted": "hours-in-are-hours-out",
    "whole_hours": "hours-in-are-hours-out",
    "minutes_for_hours": "hours-in-are-hours-out",
    "no_negative_hours": "hours-in-are-hours-out",
    "local_stamps": "types-and-forms",
    "zone_dropped": "reads-everything",
    "utc_days": "the-day-is-the-authors",
    "undeclared_records": "declared-records-only",
    "ascii_titles": "text-is-kept",
    "cut_titles": "text-is-kept",
    "token_in_log": "secrets-stay-secret",
    "token_in_error": "secrets-stay-secret",
    "token_in_repr": "secrets-stay-secret",
    "token_in_store": "secrets-stay-secret",
    "request_per_item": "requests-within-plan",
    "network_when_made": "quiet-when-made",
    "check_lies": "check-tells-the-truth",
    "clock_in_title": "second-run-changes-nothing",
    "random_ids": "second-run-changes-nothing",
    "cursor_is_now": "cursor-is-a-stamp-seen",
    "exclusive_cursor": "ties-at-the-cursor",
    "no_overlap": "late-arrivals",
    "no_cursor": "increments-are-used",
    "cursor_too_early": "killed-anywhere",
    "offset_paging": "deleted-while-paging",
    "page_in_id": "duplicated-rows",
    "ignores_the_count": "dropped-rows",
    "pages_for_ever": "a-page-that-repeats",
    "stops_at_a_repeated_page": "a-page-that-repeats",
    "swallows_401": "status-401",
    "swallows_403": "status-403",
    "swallows_404": "status-404",
    "swallows_410": "status-410",
    "swallows_400": "status-400",
    "swallows_503": "status-503",
    "people_refused_are_none": "refused-later",
    "projects_refused_are_none": "refused-later",
    "deletions_refused_are_none": "refused-later",
    "own_http": "status-429-with-seconds",
    "truncated_is_empty": "truncated-json",
    "html_is_empty": "html-for-json",
    "leaks_on_redirect": "redirect-to-another-host",
    "lenient_fields": "renamed-field",
    "absence_deletes": "hidden-is-not-deleted",
    "no_census": "deletions-are-found",
    "census_cut": "second-run-changes-nothing",
    "hidden_is_deleted": "hidden-is-not-deleted",
    "worklogs_by_absence": "worklogs-need-a-proof",
    "key_as_id": "ids-survive-a-rename",
    "container_in_id": "ids-survive-a-move",
    "collects_comments": "privacy-by-default",
    "one_big_batch": "memory-stays-flat",
    "hoards_rows": "memory-stays-flat",
    "machine_zone": "zone-of-the-machine",
    "trusts_the_filter": "unknown-filters",
    "history_of_the_latest": "history-is-kept",
    "promises_too_much": "declared-records-only",
    "decodes_the_page_at_once": "one-odd-row",
    "drops_odd_rows": "one-odd-row",
    "stops_at_an_odd_row": "one-odd-row",
    "tells_odd_rows_and_goes_on": "one-odd-row",
    "tells_no_tally": "a-tally",
    "counts_pages": "a-tally",
    "counts_what_it_took": "a-tally",
    "takes_less_than_it_saw": "a-tally",
    "all_absence": "every-field-is-vouched-for",
    "all_planned": "every-field-is-vouched-for",
    "all_approved": "every-field-is-vouched-for",
    "all_billable": "every-field-is-vouched-for",
    "a_week_each": "every-field-is-vouched-for",
    "all_summaries": "every-field-is-vouched-for",
    "all_milestones": "every-field-is-vouched-for",
    "all_builds": "every-field-is-vouched-for",
    "estimate_as_remaining": "every-field-is-vouched-for",
    "estimate_as_spent": "every-field-is-vouched-for",
    "planned_when_made": "every-field-is-vouched-for",
    "done_when_touched": "every-field-is-vouched-for",
    "a_percent_of_two": "every-field-is-vouched-for",
    "an_order_of_assignees": "every-field-is-vouched-for",
    "all_robots": "every-field-is-vouched-for",
    "all_active": "every-field-is-vouched-for",
    "all_archived": "every-field-is-vouched-for",
    "origin_observed": "every-field-is-vouched-for",
    "somebody_changed_it": "every-field-is-vouched-for",
    "all_on_one_account": "reads-everything",
    "nobody_is_somebody": "reads-everything",
    "skips_hours_of_nobody": "reads-everything",
    "hours_in_one_place": "reads-everything",
    "the_last_assignee": "reads-everything",
    "first_of_several": "reads-everything",
    "floats_for_ids": "reads-everything",
    "folds_case": "reads-everything",
    "numbers_for_ids": "reads-everything",
    "no_sub_sub_tasks": "reads-everything",
    "parents_are_roots": "reads-everything",
    "winter_all_year": "reads-everything",
    "names_for_kinds": "reads-everything",
    "a_day_at_most": "hours-in-are-hours-out",
    "hours_of_the_clock": "hours-in-are-hours-out",
    "a_container_of_its_own": "references-resolve",
    "forgets_a_container": "references-resolve",
    "forgets_somebody": "references-resolve",
    "names_once": "look-ups-are-refreshed",
    "remembers_projects": "look-ups-are-refreshed",
    "remembers_people": "look-ups-are-refreshed",
    "ten_pages_at_most": "ten-pages-and-more",
    "trusts_the_total": "totals-that-lie",
    "unproven_census": "a-census-is-proven",
    "skips_the_minute": "ties-at-the-cursor",
    "trusts_a_list": "dropped-rows",
}


KINDS = {
    "a row costs a row": (
        "decodes_the_page_at_once", "drops_odd_rows", "stops_at_an_odd_row", "tells_odd_rows_and_goes_on",
        "skips_bad_lines",
    ),
    "a reader accounts for all it saw": (
        "tells_no_tally", "counts_pages", "counts_what_it_took", "takes_less_than_it_saw", "counts_files",
        "lenient_columns", "names_no_column",
    ),
    "silence is not success": (
        "first_page_only", "ignores_the_count", "trusts_the_total", "trusts_a_list", "swallows_403",
        "html_is_empty", "empty_is_zero", "no_files_are_fine", "locked_is_skipped", "unreadable_is_empty",
    ),
    "identity is the source's": (
        "key_as_id", "container_in_id", "page_in_id", "random_ids", "folds_case", "floats_for_ids",
        "named_by_file", "named_by_content",
    ),
    "the guard counts what matters": (
        "keeps_what_is_cut", "absence_deletes", "absence_deletes_files", "worklogs_by_absence",
        "hidden_is_deleted", "unproven_census", "census_cut",
    ),
    "limits everywhere": (
        "pages_for_ever", "stops_at_a_repeated_page", "own_http", "request_per_item", "one_big_batch",
        "hoards_rows",
    ),
    "no unsafe first use": ("network_when_made", "does_not_verify", "keeps_the_mark_before"),
    "a record is checked, its references when the source is done": (
        "local_stamps", "zone_dropped", "undeclared_records", "a_container_of_its_own", "forgets_a_container",
        "forgets_somebody",
    ),
}  # fmt: skip
"""The eight kinds of being green while wrong, and the faults planted for each."""


def test_each_kind_of_fault_has_mutants() -> None:
    """Three at least for each of the eight kinds."""
    assert 8 == len(KINDS)
    assert all(len(bugs) >= 3 for bugs in KINDS.values())
    assert {bug for bugs in KINDS.values() for bug in bugs} <= {*MUTANTS, *FILE_MUTANTS}


def test_there_are_enough() -> None:
    """At least 30 checks have a law and a way to mend, at least 110 mutants an aim.

    Each is aimed at a check that exists.
    """
    codes = [check.code for check in CHECKS]

    assert len(codes) == len(set(codes)) >= 30
    assert len(MUTANTS) + len(FILE_MUTANTS) >= 110
    assert {*MUTANTS.values(), *FILE_MUTANTS.values()} <= set(codes)
    assert {"bronze", "silver", "gold"} == {check.level for check in CHECKS}
    assert all(check.law.endswith(".") and check.mend.endswith(".") for check in CHECKS)


@pytest.mark.sample(36)
@pytest.mark.parametrize("bug", MUTANTS)
def test_a_mutant_is_caught_by_its_law(bug: str, proof: bool) -> None:
    """A connector with this one fault fails the check that names the law it breaks.

    All of them on several seeds in the proof.
    """
    for seed in range(2026, 2029 if proof else 2027):
        report = certify(AcmeCertification(bug), seed=seed, only=(MUTANTS[bug],))

        assert [MUTANTS[bug]] == [result.code for result in report.failures()], f"seed {seed}"


@pytest.mark.long
def test_a_correct_connector_is_gold(proof: bool) -> None:
    """No false alarm: Gold on every seed; every fifth law in the short tests."""
    laws = tuple(sorted(check.code for check in CHECKS if check.medium in {"any", "http"}))[::5]
    for seed in range(50 if proof else 1):
        report = certify(AcmeCertification(minutes=seed % 5 == 4), seed=seed, only=() if proof else laws)

        assert [] == [f"{r.code}: {r.saw}" for r in report.failures()], f"seed {seed}"
        assert len(report.results) == len(laws) or (proof and report.level == "gold")


@pytest.mark.long
def test_the_command(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """`hub certify` takes a file, prints laws and ways to mend, JSON and JUnit.

    Its exit code follows the level asked.
    """
    certification = Path(__file__).with_name("paper.py")
    (hub_folder / "bad.py").write_text(
        f"import sys\nsys.path.insert(0, {str(certification.parent)!r})\nimport paper\n"
        "class Bad(paper.PaperCertification):\n"
        "    def __init__(self): super().__init__('does_not_verify')\n"
    )
    well = run_hub("plugin", "certify", str(certification), "--level", "gold", "--json")
    bad = run_hub("plugin", "certify", "bad.py", "--level", "silver", "--junit", "report.xml")
    none = run_hub("plugin", "certify", "nobody")
    (said,) = json.loads(well.output)
    (cases,) = ET.parse(hub_folder / "report.xml").getroot()

    assert (0, "gold") == (well.exit_code, said["level"])
    counted = sum(check.medium in {"any", "files"} for check in CHECKS)
    assert counted == int(cases.get("tests", "0")) == len(said["results"])
    assert 1 == bad.exit_code
    assert "law:  A file that is written while it is read is read whole, before or after." in bad.output
    assert "mend: Take a FileState first and verify it after the last row." in bad.output
    assert "paper: Bronze" in bad.output
    assert "1" == cases.get("failures")
    assert (2, True) == (none.exit_code, "gives no certification" in none.error)


FILE_MUTANTS = {
    "check_is_always_ok": "check-tells-the-truth",
    "skips_bad_lines": "random-bytes",
    "empty_is_zero": "an-empty-file",
    "unreadable_is_empty": "html-for-a-file",
    "locked_is_skipped": "a-locked-file",
    "no_files_are_fine": "an-empty-folder",
    "does_not_verify": "a-file-that-changes",
    "takes_any_file": "stray-files",
    "named_by_file": "a-copied-file",
    "lenient_columns": "renamed-column",
    "names_no_column": "renamed-column",
    "no_census": "a-vanished-file",
    "absence_deletes_files": "a-vanished-file",
    "keeps_the_mark_before": "a-file-put-back",
    "tells_no_tally": "a-tally",
    "counts_files": "a-tally",
    "takes_less_than_it_saw": "a-tally",
    "named_by_content": "an-older-version",
    "keeps_what_is_cut": "a-file-cut-at-a-line-end",
}


@pytest.mark.parametrize("bug", FILE_MUTANTS)
def test_a_mutant_that_reads_files_is_caught_by_its_law(bug: str, proof: bool) -> None:
    """The same for sources of files."""
    for seed in range(2026, 2029 if proof else 2027):
        report = certify(PaperCertification(bug), seed=seed, only=(FILE_MUTANTS[bug],))

        assert [FILE_MUTANTS[bug]] == [result.code for result in report.failures()], f"seed {seed}"


@pytest.mark.long
def test_a_correct_source_of_files_is_gold(proof: bool) -> None:
    """No false alarm with files: Gold on every seed."""
    for seed in range(50 if proof else 1):
        report = certify(PaperCertification(), seed=seed)

        assert ("gold", []) == (report.level, [f"{r.code}: {r.saw}" for r in report.failures()]), (
            f"seed {seed}"
        )


@pytest.mark.long
def test_the_bundled_sources_of_files_are_gold(
    proof: bool, hub_folder: Path, run_hub: Callable[..., HubResult], said_level: Callable[[str], str]
) -> None:
    """The hub's own sources go through the same door; those over HTTP do so beside their own tests."""
    if proof:
        result = run_hub("plugin", "certify", "tabular", "--level", "gold")
        assert 0 == result.exit_code, result.output
    sample = (
        "reads-everything",
        "hours-in-are-hours-out",
        "deletions-are-found",
        "a-vanished-file",
        "storm",
    )
    for certification in (MsProjectCertification(), TasksCertification(), HoursCertification()):
        report = certify(certification, only=() if proof else sample)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        assert said_level("MS Project, P6") == report.level or not proof


@pytest.mark.long
def test_the_bundled_destination_is_gold(proof: bool) -> None:
    """So does the folder of files; a feed is built for each delivery, so that `make test` takes a sample."""
    sample = (
        ()
        if proof
        else (
            "delivers-the-feed",
            "privacy-level-is-kept",
        )
    )
    report = certify(FilesCertification(), only=sample)

    assert [] == report.failures()
    assert len(report.results) == (len(sample) or 9)


DESTINATION_MUTANTS = {
    "leaves_a_table_out": "delivers-the-feed",
    "leaks_names": "privacy-level-is-kept",
    "check_is_always_ok": "destination-check-tells-the-truth",
    "appends": "changes-arrive",
    "forgets_deletes": "changes-arrive",
    "writes_in_place": "cut-anywhere",
    "swallows_refusals": "refusals-are-told",
    "raw_errors": "refusals-are-told",
}


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize("bug", DESTINATION_MUTANTS)
def test_a_mutant_destination_is_caught_by_its_law(bug: str) -> None:
    """The same for destinations."""
    report = certify(ShelfCertification(bug), only=(DESTINATION_MUTANTS[bug],))

    assert [DESTINATION_MUTANTS[bug]] == [result.code for result in report.failures()]


@pytest.mark.long
def test_a_correct_destination_is_gold(proof: bool) -> None:
    """No false alarm with destinations; what is cut off after every write is left to the proof."""
    sample = () if proof else ("delivers-the-feed", "refusals-are-told")
    for seed in range(20 if proof else 1):
        report = certify(ShelfCertification(), seed=seed, only=sample)

        assert [] == [f"{r.code}: {r.saw}" for r in report.failures()], f"seed {seed}"
        assert len(report.results) == len(sample) or (proof and report.level == "gold")
