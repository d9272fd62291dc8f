"""Columns that the model makes: codes in words."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest
from hub_powerbi.made import WORDS

from hub.records import Assessment, RegisterItem


@pytest.mark.parametrize(
    ("table", "struct", "field"),
    [
        ("fact_assessment", Assessment, "rag"), ("fact_assessment", Assessment, "trend"),
        ("fact_register", RegisterItem, "kind"), ("fact_register", RegisterItem, "state"),
    ],
)  # fmt: skip
def test_every_code_that_a_record_may_have_is_said_in_words(table: str, struct: type, field: str) -> None:
    """A code without words would stand in English in a French report."""
    kind = get_type_hints(struct)[field]
    codes = {one for part in (kind, *get_args(kind)) for one in get_args(part) if isinstance(one, str)}

    assert {*WORDS[table, field][2]} >= (codes or {"none"})
