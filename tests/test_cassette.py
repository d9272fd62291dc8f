"""Recordings: nothing of a person survives in them, and they replay."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.testing import HubResult
from hub.testing.kit import SECRET, SimulatorServer
from hub.testing.kit.anonymise import Anonymiser

PRIVATE = (
    "Zélie Quartermaine",
    "zelie.quartermaine@corp.example",
    "+33 6 12 34 56 78",
    "0612345678",
    "33612345678",
    "zquart",
    "12 rue des Lilas, 45000 Orléans",
    "tok_9f8e7d6c5b4a",
)
SOURCE = '''
import sys
sys.path.insert(0, {tests!r})
from typing import ClassVar
from acme import AcmeSource
from hub import Secret, hookimpl
import msgspec

class People(AcmeSource, frozen=True, kw_only=True):
    """The sample tool with its token where it belongs."""
    kind: ClassVar[str] = "people"
    token: Secret
    def ask(self, ctx, path, **query):
        ctx.http.credentials = {{"Authorization": f"Bearer {{self.token.reveal()}}"}}
        return self.get(ctx, path, query)

@hookimpl
def register_sources():
    return [People]
'''


@pytest.fixture
def tool(hub_folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    from acme import Acme, AcmeCertification

    # long numbers become others, in another order: a tool that pages by them says so with --keep
    monkeypatch.setattr(Acme, "first", 100)
    world = AcmeCertification().world(7)
    for number, item in enumerate(world.items.values()):
        item.title = f"Call {PRIVATE[number % len(PRIVATE)]} about it"
        item.key = PRIVATE[number % len(PRIVATE)] if number % 3 == 0 else item.key
    world.containers["2"] = PRIVATE[0]
    (hub_folder / "config" / "plugins").mkdir()
    (hub_folder / "config" / "plugins" / "people.py").write_text(
        SOURCE.format(tests=str(Path(__file__).parent))
    )
    monkeypatch.setenv("PEOPLE_TOKEN", SECRET)
    with SimulatorServer(world) as simulator:
        (hub_folder / "config" / "hub.toml").write_text(
            f'[sources.tool]\nkind = "people"\nurl = "{simulator.url}"\ntoken = {{ env = "PEOPLE_TOKEN" }}\n'
        )
        yield simulator


@pytest.mark.long
@pytest.mark.usefixtures("tool")
def test_nobody_is_in_a_cassette(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """No name, address, telephone, login or token survives.

    The file is private; it certifies what a recording can.
    """
    made = run_hub("plugin", "record", "tool", "--out", "tool.json")
    text = (hub_folder / "tool.json").read_text()
    seen = run_hub("plugin", "certify", "tool.json", "--level", "bronze")

    assert 0 == made.exit_code, made.error
    assert "replayed as ok" in made.output
    assert [] == [
        one for one in (*PRIVATE, *PRIVATE[0].split(), SECRET, "127.0.0.1", "Call", "about") if one in text
    ]
    assert 0o600 == stat.S_IMODE((hub_folder / "tool.json").stat().st_mode)
    assert 0 == seen.exit_code, seen.output
    assert "people: Bronze" in seen.output


@pytest.mark.usefixtures("tool")
def test_check_asks_over_http(
    hub_folder: Path, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hub check` reaches the tool; a wrong token is a failed check, with its sentence."""
    well = run_hub("check", "tool")
    monkeypatch.setenv("PEOPLE_TOKEN", "wrong")
    bad = run_hub("check", "tool")

    assert (0, True) == (well.exit_code, "signed in" in well.output)
    assert (1, True) == (bad.exit_code, "refused the credentials (HTTP 401)" in bad.output)


@pytest.mark.usefixtures("tool")
def test_kept_fields_are_named(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """What was asked to be kept is kept and listed."""
    made = run_hub("plugin", "record", "tool", "--out", "tool.json", "--keep", "name")

    assert 0 == made.exit_code, made.error
    assert "name: Project 1" in made.output
    assert "Project 1" in (hub_folder / "tool.json").read_text()


@pytest.mark.long
def test_a_tampered_cassette_fails(hub_folder: Path, run_hub: Callable[..., HubResult], tool: object) -> None:
    """The truth in the cassette is held against what the connector makes of the answers."""
    run_hub("plugin", "record", "tool", "--out", "tool.json")
    tape = msgspec.json.decode((hub_folder / "tool.json").read_bytes())
    native = next(iter(tape["truth"]["task"]))
    tape["truth"]["task"][native]["estimate_s"] = 1
    (hub_folder / "tool.json").write_bytes(msgspec.json.encode(tape))
    seen = run_hub("plugin", "certify", "tool.json")

    assert 1 == seen.exit_code
    assert "the tool says 1" in seen.output


def test_what_cannot_be_recorded(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """A source of files asks nobody over HTTP."""
    (hub_folder / "config" / "hub.toml").write_text('[sources.plans]\nkind = "msproject"\npath = "plans"\n')
    made = run_hub("plugin", "record", "plans", "--out", "x.json")

    assert 2 == made.exit_code
    assert "asked nobody over HTTP" in made.error


@pytest.mark.long
@given(st.text(), st.text())
def test_equal_stays_equal(one: str, other: str) -> None:
    """Equal texts have equal pseudonyms, different ones different.

    Another key makes others.
    """
    anonymise = Anonymiser(b"a" * 32, origin="http://x")

    assert anonymise.text(one) == anonymise.text(one)
    assert (one == other) == (anonymise.text(one) == anonymise.text(other))


@given(st.sampled_from(PRIVATE), st.text(alphabet="abz09 @.-:/éß", max_size=12))
def test_no_text_survives(private: str, around: str) -> None:
    """Whatever stands around it, a private text is not in its pseudonym."""
    assert private not in Anonymiser(b"k" * 32, origin="http://x").text(around + private + around)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29",
        "2026-03-29T01:30:00.000+0100",
        "2026-03-29T01:30:00Z",
        "120",
        "-7.5",
        "1772000000000",
        "true",
        "",
    ],
)
def test_what_is_nobody_stays(text: str) -> None:
    """Days, instants, numbers and truth values are needed as they are."""
    assert text == Anonymiser(b"k" * 32, origin="http://x").text(text)


@pytest.mark.parametrize("number", [0, 7, -12, 999999999, 33612345678, -33612345678, 10**20])
def test_numbers(number: int) -> None:
    """Long ones become others of the same sign, short ones stay.

    A field that is kept keeps its numbers too.
    """
    anonymised = Anonymiser(b"k" * 32, origin="http://x", keep=("kept",)).json({"n": number, "kept": number})

    assert number == anonymised["kept"]
    assert (number < 0) == (anonymised["n"] < 0)
    assert (abs(number) < 10**9) == (number == anonymised["n"])


@given(st.lists(st.integers(10**9, 2**63 - 1), min_size=2, max_size=40, unique=True), st.binary(min_size=8))
def test_long_ids_keep_their_order(numbers: list[int], key: bytes) -> None:
    """A list that is paged by ids that rise is paged by their pseudonyms, as numbers and as texts.

    The id after one that was seen, which no body holds, is after its pseudonym and before the next.
    """
    anonymise = Anonymiser(key, origin="http://x")
    anonymise.look([{"id": number} for number in numbers])
    ordered = sorted(numbers)
    made = [anonymise.json(number) for number in ordered]

    assert made == sorted(set(made))
    assert [str(one) for one in made] == [anonymise.text(str(number)) for number in ordered]
    assert [len(str(number)) for number in ordered] == [len(str(one)) for one in made]
    assert not {*ordered} & {one for one in made if one // 10**12 != 1}  # instants in milliseconds stay
    assert all(
        one < int(anonymise.text(str(number + 1)))
        for number, one in zip(ordered, made, strict=True)
        if number + 1 not in numbers and len(str(number + 1)) == len(str(number)) and number + 1 < 2**63
    )


def test_an_address_keeps_what_is_kept() -> None:
    """A field that is kept is kept in the query of an address too, and named."""
    anonymise = Anonymiser(b"k" * 32, origin="http://x", keep=("state",))
    found = anonymise.url("http://x/rows?state=in+progress&who=zoe.martin")

    assert found.startswith("http://simulator.invalid/rows?state=in+progress&who=x")
    assert "zoe" not in found
    assert {"state: in+progress"} == anonymise.kept
