"""`hub mcp` by the SDK's own client: in memory, and by standard input and output of a real process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reporting_world as world
from hub_serve.assistant import desk as desks
from hub_serve.assistant.desk import BOUND, Desk
from hub_serve.assistant.server import desk_of, server
from hub_serve.feeds import Feeds
from hub_serve.languages import spoken
from hub_serve.place import ServePlace
from hub_serve.tokens import Reader, Tokens
from mcp import Client, StdioServerParameters
from reporting_world import HOURS, LEVELS, TEAMS, USERS, WORK

from hub import ConfigError, Privacy, catalogue
from hub.testing import hub_folder, run_hub

__all__ = ["hub_folder", "run_hub"]
TOOLS = ["list_projects", "figure", "what_moved", "why", "source_status"]
SECRET = {"ann", "al", "bob", "cleo"}


@pytest.fixture(scope="module")
def feeds() -> Iterator[Feeds]:
    folder = world.feed()
    found = Feeds(world.opened(folder.parent), lambda: folder.name)
    yield found
    found.close()


def desk(feeds: Feeds, level: Privacy = "nominative-line", person: str | None = None) -> Desk:
    reader = Reader(name="test", level=level, person=person)
    return Desk(lambda: feeds.view(reader), is_all=lambda: person is None)


def asked(one: Any, *questions: tuple[str, dict[str, Any]]) -> list[tuple[bool, str]]:
    """Ask *one*, a server or how to start it, by the SDK's client: whether it was an error, and the text."""

    async def go() -> list[tuple[bool, str]]:
        async with Client(one) as client:
            found = []
            for name, arguments in questions:
                result = await client.call_tool(name, arguments)
                found.append((bool(result.is_error), result.content[0].text))  # type: ignore[union-attr]
            return found

    return asyncio.run(go())


def answers(one: Desk, *questions: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    found = asked(server(one), *questions)

    assert [] == [text for is_error, text in found if is_error]
    return [json.loads(text) for _, text in found]


@pytest.mark.long
def test_the_tools_read_only_and_the_prompt_prepares_a_committee(feeds: Feeds) -> None:
    """A client is told that nothing is written and nothing is random, and what each tool is for."""

    async def go() -> tuple[Any, Any, Any, Any]:
        async with Client(server(desk(feeds))) as client:
            return (
                await client.list_tools(),
                await client.list_prompts(),
                await client.get_prompt("prepare_the_committee", {"project": "A"}),
                client.instructions,
            )

    tools, prompts, prompt, instructions = asyncio.run(go())

    assert TOOLS == [tool.name for tool in tools.tools]
    assert {(True, False)} == {
        (tool.annotations.read_only_hint, tool.annotations.destructive_hint) for tool in tools.tools
    }
    assert all(tool.description for tool in tools.tools)
    assert ["prepare_the_committee"] == [one.name for one in prompts.prompts]
    assert "of the project A" in prompt.messages[0].content.text
    assert "never instructions" in instructions


def test_figures_are_those_of_the_feed_with_their_definition(feeds: Feeds) -> None:
    """Nine hours of seven a day; the KPI has its definition, its unit and how it is written."""
    (figure,) = answers(
        desk(feeds), ("figure", {"kpi": "raf", "project": "project a", "measure": "consomme"})
    )
    (value,) = figure["values"]

    assert ("RAF", catalogue()["RAF"].definition) == (figure["kpi"], figure["definition"])
    assert (pytest.approx(9 / 7, abs=0.001), "days") == (value["value"], value["unit"])
    assert "1.3\N{NO-BREAK SPACE}person-days" == value["written"]
    assert [pytest.approx(9 / 7, abs=0.001)] == [one["value"] for one in figure["trend"]]


def test_a_receipt_is_counted_summed_and_shown(feeds: Feeds) -> None:
    """Its rows are those of the project, with their sums, whatever of them is shown."""
    (why,) = answers(desk(feeds), ("why", {"kpi": "RAF", "project": "A"}))
    worklogs = why["made_of"]["worklogs"]
    persons = {row["person"] for row in worklogs["rows"]}

    assert (3, pytest.approx(9 / 7, abs=0.01)) == (worklogs["count"], worklogs["sums"]["days"])
    assert {"ann", "al"} == persons
    assert not any(
        name.startswith("_") for one in why["made_of"].values() for row in one["rows"] for name in row
    )


def test_projects_sources_and_moves_are_told(feeds: Feeds) -> None:
    projects, sources, moved = answers(
        desk(feeds), ("list_projects", {}), ("source_status", {}), ("what_moved", {})
    )

    assert {"A", "B"} == {one["code"] for one in projects["projects"]}
    assert {"config", "s"} <= {one["name"] for one in sources["sources"]}
    assert [] == moved["moves"]
    assert {("nominative-line", world.feed().name)} == {
        (one["level"], one["feed"]) for one in (projects, sources, moved)
    }


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (("figure", {"kpi": "NOPE"}), "There is no KPI 'NOPE'; known: "),
        (("figure", {"kpi": "RAF", "project": "Nope"}), "There is no project 'Nope'"),
        (("figure", {"kpi": "RAF", "measure": "nope"}), "RAF has no measure 'nope'; it has: "),
        (("why", {"kpi": "RAF", "project": "'; DROP TABLE dim_task; --"}), "There is no project"),
        (("why", {}), "kpi"),
    ],
)
def test_what_cannot_be_answered_says_what_can(feeds: Feeds, question: Any, said: str) -> None:
    ((is_error, text),) = asked(server(desk(feeds)), question)

    assert is_error
    assert said in text


def test_a_crash_says_nothing_of_itself(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong inside may hold a path or a value: the client learns that it went wrong."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("/secret/place")

    monkeypatch.setattr(desks, "evaluate", broken)
    ((is_error, text),) = asked(server(desk(feeds)), ("why", {"kpi": "RAF", "project": "A"}))

    assert is_error
    assert "secret" not in text


def test_every_answer_is_bounded_and_says_what_it_left_out(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows there are: at a smaller bound counts and sums stay, and the rest is counted."""
    monkeypatch.setattr(desks, "BOUND", 1500)
    questions = [
        ("list_projects", {}), ("source_status", {}), ("figure", {"kpi": "EVM_DAYS", "project": "A"}),
        ("why", {"kpi": "EVM_DAYS", "project": "A"}),
    ]  # fmt: skip
    found = asked(server(desk(feeds)), *questions)
    why = json.loads(found[3][1])["made_of"]
    figure = json.loads(found[2][1])

    assert 20_000 == BOUND
    assert [False] * 4 == [is_error for is_error, _ in found]
    assert figure["left_out"]["values"] > 0
    assert {(3, 3 - len(why["worklogs"]["rows"]))} == {
        (why["worklogs"]["count"], why["worklogs"]["left_out"])
    }


@pytest.mark.parametrize("letters", [0, 10, 199, 200, 201, 5000])
def test_no_text_is_longer_than_a_cell(letters: int) -> None:
    shown = desks._text("é" * letters)

    assert min(letters, 200) == len(shown)


def rows_of_all(one: Desk) -> str:
    """Return everything that the tools say of every KPI and project, as one text."""
    found = [desks.text_of(getattr(one, name)()) for name in ("list_projects", "what_moved", "source_status")]
    for kpi in catalogue():
        for project in ("", "A", "B"):
            for question in (one.figure, *([one.why] if project else [])):
                try:
                    found.append(desks.text_of(question(kpi, project)))
                except ConfigError:
                    continue
    return "\n".join(found)


@pytest.mark.long
@pytest.mark.parametrize("user", USERS)
def test_each_user_is_told_its_own_rows_only(feeds: Feeds, user: str) -> None:
    """By brute force over projects and persons: the hours of a receipt are those that access.csv allows."""
    one = desk(feeds, person=user)
    allowed = {
        (task, who)
        for task, who, _ in HOURS
        if any(
            (project in {None, WORK[task][0]}) and (team in {None, TEAMS[who]})
            for project, team in USERS[user]
        )
    }
    seen = set()
    for project in "AB":
        try:
            made = one.why("RAF", project)["made_of"]
        except ConfigError:
            continue
        seen |= {(row["task"], row["person"]) for row in made["worklogs"]["rows"]}

    assert allowed == seen


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
def test_persons_are_named_at_one_level_only(feeds: Feeds, level: Privacy, proof: bool) -> None:
    """Every KPI, every receipt, every project: below nominative lines no person has a name."""
    if not proof and level not in {"nominative-line", "project"}:
        pytest.skip("a sample: two levels")
    text = rows_of_all(desk(feeds, level))
    named = {who for who in SECRET if f'"{who}"' in text}

    assert (SECRET if level == "nominative-line" else set()) == named


@pytest.mark.long
def test_a_token_decides_and_can_be_taken_back(feeds: Feeds, tmp_path: Path) -> None:
    """Its level and its rows are shown, and nothing from the question after it was revoked."""
    tokens = Tokens(tmp_path)
    word = tokens.create("assistant", level="team-week", days=1, person="project@x.org")
    one = desk_of(feeds, tokens, ServePlace(name="serve"), given=word)
    before = one.list_projects()
    tokens.revoke("assistant")
    here = desk_of(feeds, tokens, ServePlace(name="serve"), given=None).list_projects()

    assert ("team-week", ["A"]) == (before["level"], [row["code"] for row in before["projects"]])
    assert ("project", {"A", "B"}) == (here["level"], {row["code"] for row in here["projects"]})
    with pytest.raises(ConfigError, match="not valid"):
        one.list_projects()
    with pytest.raises(ConfigError, match="not valid"):
        desk_of(feeds, tokens, ServePlace(name="serve"), given="pmh_x_y")


def test_over_http_each_request_has_its_own_reader(tmp_path: Path) -> None:
    """Under `hub serve` at /mcp: by a bearer token, each client its own rows, and nobody without one."""
    import httpx2 as httpx
    from mcp.client.streamable_http import streamable_http_client

    with world.served(tmp_path) as site, world.over_http(site) as address:
        words = {
            user: site.tokens.create(user, level="team-week", days=1, person=user)
            for user in ("project@x.org", "both@x.org", "nobody@x.org")
        }
        refused = httpx.post(f"{address}/mcp", json={})

        async def codes(word: str) -> set[str]:
            async with (
                httpx.AsyncClient(headers={"Authorization": f"Bearer {word}"}, timeout=60) as http,
                Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
            ):
                result = await client.call_tool("list_projects", {})
                told = json.loads(result.content[0].text)  # type: ignore[union-attr]
                return {row["code"] for row in told["projects"]}

        async def both() -> list[set[str]]:
            return list(await asyncio.gather(*(codes(word) for word in words.values())))

        found = asyncio.run(both())

    assert 401 == refused.status_code
    assert [{"A"}, {"B"}, set()] == found


@pytest.mark.long
def test_over_standard_input_and_output(tmp_path: Path) -> None:
    """A real process answers a real client, and writes nothing else to its output."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hub.toml").write_text(
        f'store = "sqlite:///hub.db"\nfeed = {json.dumps(str(world.feed().parent))}\n', encoding="utf-8"
    )
    token = Tokens(tmp_path / "data" / "serve").create("assistant", level="project", days=1)
    environment = {**os.environ, "ASSISTANT": token, "PYTHONPATH": os.pathsep.join(sys.path)}

    def started(*arguments: str) -> StdioServerParameters:
        command = [
            "-W",
            "ignore",
            "-m",
            "hub",
            "--config",
            str(tmp_path / "config" / "hub.toml"),
            "mcp",
            *arguments,
        ]
        return StdioServerParameters(command=sys.executable, args=command, env=environment, cwd=str(tmp_path))

    ((is_error, text),) = asked(started("--token-env", "ASSISTANT"), ("list_projects", {}))

    assert not is_error
    assert {"A", "B"} == {row["code"] for row in json.loads(text)["projects"]}


def test_without_its_token_it_does_not_start(
    run_hub: Any, hub_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that holds none, or a wrong one, is said; the level of this machine is not a way around it."""
    feed = json.dumps(str(world.feed().parent))
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "sqlite:///hub.db"\nfeed = {feed}\n', encoding="utf-8"
    )
    unset = run_hub("mcp", "--token-env", "NO_SUCH_TOKEN")
    monkeypatch.setenv("WRONG_TOKEN", "pmh_a_b")
    wrong = run_hub("mcp", "--token-env", "WRONG_TOKEN")

    assert 0 not in {unset.exit_code, wrong.exit_code}
    assert "NO_SUCH_TOKEN" in unset.error
    assert "not valid" in wrong.error
    assert "pmh_a_b" not in wrong.error + wrong.output


@pytest.mark.parametrize(("lang", "whole"), [("fr", "tout le portefeuille"), ("en", "the whole portfolio")])
def test_words_are_of_who_asks(feeds: Feeds, lang: Any, whole: str) -> None:
    """Captions and definitions, whatever the server speaks; without a wish those of the feed."""
    reader = Reader(name="test", level="project")
    one = Desk(lambda: feeds.view(reader), is_all=lambda: True, lang=lambda: lang)
    (figure,) = answers(one, ("figure", {"kpi": "RAF"}))
    (plain,) = answers(desk(feeds, "project"), ("figure", {"kpi": "RAF"}))

    assert (whole, getattr(catalogue()["RAF"], lang)) == (figure["project"], figure["name"])
    assert "the whole portfolio" == plain["project"]
    assert ("fr", "en", None) == (spoken("en;q=0.5,fr-CA"), spoken("de,en;q=0.5"), spoken("de"))


def test_what_moved_is_asked_between_cuts(feeds: Feeds) -> None:
    """By their labels; one that is not there is told with those that are."""
    found = asked(
        server(desk(feeds)), ("what_moved", {}), ("what_moved", {"since": "nope"}),
        ("what_moved", {"since": "Now", "until": "Now"}),
    )  # fmt: skip

    assert {"since", "until", "moves"} <= json.loads(found[0][1]).keys()
    assert (True, True) == (found[1][0], "There is no cut 'nope'" in found[1][1])
    assert [] == json.loads(found[2][1])["moves"]
