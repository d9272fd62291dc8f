"""Words: templates in two languages, numbers and days as each writes them; catalogues and code."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import json
import re
import string
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec
import pytest

from hub import Lang, matching, model, records, speaking, spoken_reason, words
from hub.cli import configure
from hub.cli.output import plain_figure
from hub.cli.speech import CLICK, TYPES
from hub.feed import catalogue
from hub.feed.kpi.explain import _RECEIPTS
from hub.feed.reasons import spoken_cell, spoken_column, spoken_move
from hub.matching.people import Face, recognise
from hub.placement import LEFT
from hub.records import BudgetLine, RegisterItem
from hub.testing import HubResult

ROOT = Path(__file__).resolve().parents[1]


@cache
def tool() -> ModuleType:
    """Return what `make words` runs."""
    spec = importlib.util.spec_from_file_location("words_tool", ROOT / ".ci" / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PACKAGES = [ROOT / "hub", *sorted(ROOT.glob("plugins/*/hub_*"))]


@pytest.fixture(autouse=True)
def english_after() -> Iterator[None]:
    """Speak English again."""
    yield
    words.use("en")


@pytest.mark.parametrize(
    ("form", "value", "en", "fr"),
    [
        (",", 1234567, "1,234,567", "1\u202f234\u202f567"),
        (",.1f", 1234.56, "1,234.6", "1\u202f234,6"),
        ("g", 0.5, "0.5", "0,5"),
        ("+.2f", -3.14159, "-3.14", "-3,14"),
        (".0%", 0.25, "25%", "25\u202f%"),
        ("", 7, "7", "7"),
    ],
)
def test_numbers(form: str, value: float, en: str, fr: str) -> None:
    """A comma and thin blanks in French, a point and commas in English."""
    for lang, expected in (("en", en), ("fr", fr)):
        words.use(lang)  # type: ignore[arg-type]

        assert expected == words.number(value, form)
        assert f"<{expected}>" == words.tr(f"<{{n:{form}}}>" if form else "<{n}>", n=value)


def test_days() -> None:
    """31/10/2026 in French; texts that hold a stamp are read too; an instant keeps its time."""
    words.use("fr")

    assert "31/10/2026" == words.day(date(2026, 10, 31)) == words.day("2026-10-31T10:00:00Z")
    assert "le 31/10/2026" == words.tr("le {when}", when=date(2026, 10, 31))
    assert "31/10/2026 09:05" == words.tr("{when}", when=datetime(2026, 10, 31, 9, 5, tzinfo=UTC))
    assert "" == words.day(None) == words.number(None)
    words.use("en")
    assert "2026-10-31" == words.day("2026-10-31")


def test_a_template_without_values_is_text() -> None:
    """Braces in it are braces; a template that no catalogue has stays English; texts are not touched."""
    words.use("fr")

    assert "key = { env = 1.5 }" == words.tr("key = { env = 1.5 }")
    assert "nothing of this 1,234.5 is translated" == words.tr(
        "nothing of this {x} is translated", x="1,234.5"
    )


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"), ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"), ({}, "en"),
        ({"LC_MESSAGES": "fr", "LANG": "en_GB"}, "fr"), ({"LANG": "de_DE"}, "en"),
        ({"PM_HUB_LANG": "fr", "LC_ALL": "en_GB"}, "fr"), ({"PM_HUB_LANG": "en", "LANG": "fr_FR"}, "en"),
    ],
)  # fmt: skip
def test_the_environment_speaks_until_a_configuration_does(environment: dict[str, str], lang: str) -> None:
    """LC_ALL before LC_MESSAGES before LANG, as gettext has it."""
    assert lang == words.of_environment(environment)


@pytest.mark.parametrize(
    ("n", "en", "fr"),
    [(0, "0 rows", "0 row"), (1, "1 row", "1 row"), (1.5, "1.5 rows", "1,5 row"), (2, "2 rows", "2 rows")],
)
def test_plurals(n: float, en: str, fr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """English has one of a thing alone; French writes 0 and 1,5 in the singular too."""
    monkeypatch.setattr(words, "_read_catalogues", lambda: None)
    for lang, expected in (("en", en), ("fr", fr)):
        words.use(lang)  # type: ignore[arg-type]
        if lang == "fr":
            words._known.update({("{n} row", 0): "{n} row", ("{n} row", 1): "{n} rows"})

        assert expected == words.trn("{n} row", "{n} rows", n)


@pytest.mark.parametrize(
    ("values", "en", "fr"),
    [
        ({"a": 0, "b": 1}, "0 rows of 1 file", "0 ligne d'1 fichier lue"),
        ({"a": 1, "b": 2}, "1 row of 2 files", "1 ligne de 2 fichiers lue"),
        ({"a": 1.5, "b": 1200}, "1.5 rows of 1200 files", "1,5 ligne de 1200 fichiers lue"),
        ({"a": 2, "b": 0}, "2 rows of 0 files", "2 lignes d'0 fichier lues"),
        ({"a": "1", "b": "12"}, "1 row of 12 files", "1 ligne de 12 fichiers lue"),
    ],
)  # fmt: skip
def test_one_sentence_counts_several_things(
    values: dict[str, Any], en: str, fr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each word goes with its own number, by the rule of the language; a text of digits counts too."""
    english = "{a} {a:row|rows} of {b} {b:file|files}"
    french = "{a} {a:ligne|lignes} {b:d'|de }{b} {b:fichier|fichiers} {a:lue|lues}"
    monkeypatch.setattr(words, "_read_catalogues", lambda: None)
    words.use("en")
    assert en == words.tr(english, **values)
    words.use("fr")
    words._known.update({english: french})
    assert fr == words.tr(english, **values)


def test_each_thread_speaks_its_own_language() -> None:
    """Two readers are answered at once in two languages; what one speaks is not heard by the other."""
    both = threading.Barrier(2, timeout=20)
    heard: dict[str, list[str]] = {}

    def answer(lang: words.Lang) -> None:
        with words.speaking(lang):
            both.wait()
            heard[lang] = [words.day("2026-10-31"), words.number(0.5, ".0%"), words.tr("Landing")]
            both.wait()

    threads = [threading.Thread(target=answer, args=(lang,)) for lang in words.LANGS]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {
        "en": ["2026-10-31", "50%", "Landing"],
        "fr": ["31/10/2026", "50\u202f%", "Atterrissage"],
    } == heard
    assert "en" == words.language()


def names_of(template: str) -> set[str]:
    """Return the places that *template* has for values."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_catalogue_is_in_step(package: Path) -> None:
    """Each template has its entry, with the same places for values; the .mo file is the .po file."""
    found = tool().catalogue(package)
    place = package / "words"

    if not len(found):
        assert not place.exists()
        return
    assert tool().po(found) == (place / "fr.po").read_bytes(), "run `make words`"
    assert tool().mo(found) == (place / "fr.mo").read_bytes(), "run `make words`"
    for one in found:
        asked = one.id if isinstance(one.id, tuple) else (one.id,)
        said = one.string if isinstance(one.string, tuple) else (one.string,)
        for template in filter(None, said) if one.id else ():
            if any(names_of(text) for text in asked if text.count("{") == text.count("}")):
                assert names_of(asked[-1]) == names_of(template), asked
        assert all(said), asked


def test_extraction(tmp_path: Path) -> None:
    """Calls, both arms of a condition, pairs, marks, docstrings and helps of commands; nothing else."""
    (tmp_path / "one.py").write_text(
        """
x = mark("marked {a}")
@cli.command(name="go")
@click.option("--deep", help="how " "deep")
def go():
    \"\"\"Go on.

    Example: hub go
    \"\"\"
    tr("one " "two {n}", n=1)
    tr("yes" if a else "no")
    trn("{n} cat", "{n} cats", 2)
    say("not said by tr")
"""
    )

    assert {
        "marked {a}", "how deep", "Go on.\n\nExample: hub go",
        "one two {n}", "yes", "no", ("{n} cat", "{n} cats"),
    } == tool().templates(tmp_path)  # fmt: skip


def test_translations_are_kept(tmp_path: Path) -> None:
    """What the code no longer says leaves; what it still says keeps its French, both numbers of it."""
    (tmp_path / "words").mkdir()
    place = tmp_path / "words" / "fr.po"
    (tmp_path / "one.py").write_text('tr("one")\ntr("gone")\ntrn("{n} row", "{n} rows", 2)\n')
    text = tool().po(tool().catalogue(tmp_path)).decode()
    for template, french in (("one", "un"), ("gone", "parti")):
        text = text.replace(f'msgid "{template}"\nmsgstr ""', f'msgid "{template}"\nmsgstr "{french}"')
    text = text.replace('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "{n} ligne"\nmsgstr[1] "{n} lignes"')
    place.write_text(text, encoding="utf-8")
    (tmp_path / "one.py").write_text('tr("one")\ntr("new")\ntrn("{n} row", "{n} rows", 2)\n')
    found = tool().catalogue(tmp_path)
    (tmp_path / "words" / "fr.mo").write_bytes(tool().mo(found))
    with (tmp_path / "words" / "fr.mo").open("rb") as file:
        read = gettext.GNUTranslations(file)

    assert b"parti" not in tool().po(found)
    assert ("un", "new") == (read.gettext("one"), read.gettext("new"))
    assert ["{n} ligne", "{n} ligne", "{n} lignes"] == [
        read.ngettext("{n} row", "{n} rows", n) for n in (0, 1, 2)
    ]


def test_each_template_gets_its_values() -> None:
    """Every place of a template is given by its call: what fails only when it is said is found here."""
    lacking = []
    for path in (path for package in PACKAGES for path in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and tool()._name(node.func) in {"tr", "trn"} and node.args):
                continue
            given = {one.arg for one in node.keywords} | (
                {"n"} if tool()._name(node.func) == "trn" else set()
            )
            texts = [text for one in node.args[:2] for text in tool()._texts(one)]
            if node.keywords or tool()._name(node.func) == "trn":
                needed = set().union(*(names_of(text) for text in texts))
                if texts and needed != given:
                    lacking.append(f"{path.name}:{node.lineno}: {needed ^ given}")

    assert [] == lacking


Run = Callable[..., HubResult]
FRENCH = 'lang = "fr"\n'


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that puts a translation into the French catalogue."""
    known: dict[Any, str] = {}
    read = words._read_catalogues

    def with_ours() -> None:
        read()
        words._known.update(known)

    monkeypatch.setattr(words, "_read_catalogues", with_ours)

    def put(template: str, text: str) -> None:
        known[template] = text

    return put


def test_help_follows_the_configuration(
    run_hub: Run, hub_folder: Path, say: Callable[[str, str], None]
) -> None:
    """Click's own words, the help of commands, of a plugin's command and of options are in its language."""
    say("Usage:", "Emploi :")
    say("Make", "Fabriquer")
    say("Show this message and exit.", "Montrer ceci et finir.")
    say("Help with the configuration.", "Aider à configurer.")
    say("Another seed is another portfolio.", "Une autre graine, un autre portefeuille.")
    (hub_folder / "config").mkdir(exist_ok=True)
    config = hub_folder / "config" / "hub.toml"
    config.write_text(FRENCH, encoding="utf-8")
    french, demo = run_hub("--help").output, run_hub("demo", "--help").output
    config.write_text('lang = "en"\n', encoding="utf-8")
    english = run_hub("--help").output

    for text in ("Emploi :", "Montrer ceci et finir.", "Aider à configurer."):
        assert text in french
        assert text not in english
    assert "Une autre graine" in demo
    assert "Help with the configuration." in english
    assert "en" == words.language()


def test_errors_of_click(run_hub: Run, hub_folder: Path, say: Callable[[str, str], None]) -> None:
    """A command that is not there is said to be so in the language, with the exit code of English."""
    say("No such command {name!r}.", "La commande {name!r} n'existe pas.")
    (hub_folder / "config").mkdir(exist_ok=True)
    (hub_folder / "config" / "hub.toml").write_text(FRENCH, encoding="utf-8")
    result = run_hub("nothing")

    assert 2 == result.exit_code
    assert "La commande 'nothing' n'existe pas." in result.error


NEVER_REACHED = (
    "shell completion", "Bash",  # the hub has none
    "declaration", "defined twice", "flag for", "No options defined", "iterable", "color", "standard stream",
    "start character", "DeprecationWarning",  # mistakes in code
    "{editor}", "Press any key", "Choice(", "UUID", "executable", "{nargs}", "values ", "(dynamic)",
    "match the format", "Do you want", "without prompting", "%(prog)s", "'d'",  # things no command has
    "Show the version and exit.", "Windows error",  # said by the hub itself; around Windows' own words
)  # fmt: skip


def test_all_that_click_says_is_known() -> None:
    """Every text that click gives to gettext is translated, or of a kind that no command reaches."""
    said: set[str] = set()
    for path in Path(click.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                count = {"_": 1, "ngettext": 2}.get(node.func.id, 0)
                said |= {str(one.value) for one in node.args[:count] if isinstance(one, ast.Constant)}
    assert [] == sorted(
        one for one in said - {*CLICK, *TYPES, "Show this message and exit."}
        if not any(text in f"'{one}'" for text in NEVER_REACHED)
    )  # fmt: skip
    assert [] == sorted({*CLICK} - said - {"required"})  # which click looks up by a variable


def test_a_question_is_answered_in_either_language(run_hub: Run, hub_folder: Path) -> None:
    """A French reader is shown O/n and may say oui; what is neither yes nor no is asked again."""
    (hub_folder / "plans").mkdir()
    (hub_folder / "hours").mkdir()
    (hub_folder / "hours" / "t.csv").write_text("Personne;Projet;Date;Heures\nAnn;P;2026-10-05;7\n")
    asked = run_hub("init", stdin="fr\nhours\npeut-être\noui\n\n\nnon\n")

    assert 0 == asked.exit_code, asked.error
    assert 3 == asked.output.count("[O/n]")
    assert "saisie incorrecte" in asked.output
    assert "[Y/n]" not in asked.output
    assert 'kind = "tabular"' in (hub_folder / "config" / "hub.toml").read_text(encoding="utf-8")
    assert not (hub_folder / "data").exists()


def test_the_environment_speaks_where_no_configuration_does(
    run_hub: Run, say: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a configuration an error is in the language of PM_HUB_LANG."""
    say(
        "There is no configuration at {path}. Run `hub init` to write one, or point to yours with --config.",
        "Il n'y a pas de configuration : {path}.",
    )
    monkeypatch.setenv("PM_HUB_LANG", "fr")
    result = run_hub("--config", "none.toml", "sync")

    assert (2, True) == (result.exit_code, "Il n'y a pas de configuration : none.toml." in result.error)


@pytest.mark.parametrize("lang", words.LANGS)
def test_init_writes_the_language(run_hub: Run, hub_folder: Path, lang: str) -> None:
    """`--lang` answers without a terminal, the first question asks it otherwise."""
    asked = run_hub("--config", "a/hub.toml", "init", stdin=f"{lang}\n\n\n\n")
    told = run_hub("--config", "b/hub.toml", "init", "--yes", "--lang", lang)

    assert (0, 0) == (asked.exit_code, told.exit_code), asked.error + told.error
    for folder in ("a", "b"):
        assert f'lang = "{lang}"' in (hub_folder / folder / "hub.toml").read_text(encoding="utf-8")


def test_json_is_free_of_language(run_hub: Run, hub_folder: Path) -> None:
    """The same commands give the same bytes and exit codes for programs, whatever is spoken."""
    (hub_folder / "config").mkdir(exist_ok=True)
    (hub_folder / "config" / "projects.csv").write_text("code,name,level\nP1,One,project\n", encoding="utf-8")
    config = hub_folder / "config" / "hub.toml"
    config.write_text('lang = "en"\n', encoding="utf-8")
    now = ("--now", "2026-11-02T08:00:00Z")
    run_hub(*now, "sync")
    said = {}
    for lang in words.LANGS:
        config.write_text(f'lang = "{lang}"\n', encoding="utf-8")
        asked = (("status",), ("check",), ("store", "info"), ("presence",), ("plugin", "list"))
        results = [run_hub(*now, *one, "--json") for one in asked]
        said[lang] = [(one.exit_code, one.output) for one in results]
        said[lang].append((run_hub("kpi").exit_code, ""))

    assert said["en"] == said["fr"]
    assert [dict, list, dict, dict, list] == [type(json.loads(text)) for _, text in said["en"][:-1]]


def test_every_reason_of_the_feed_has_its_words() -> None:
    """What the SQL says of what does not count is said in French too."""
    said: set[str] = set()
    for path in [ROOT / "hub/feed/not_counted.sql", *sorted((ROOT / "hub/feed/resolve").glob("[45]_*.sql"))]:
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        said |= {text for text in re.findall(r"'([^']*)'", code) if re.fullmatch(r"[a-z].*\w,? \w.*\w", text)}
    said |= {f"{what}{left}" for what in ("", "task ", "container ") for left in LEFT}
    said |= {"no exchange rate for USD in 2026-10", "converted from USD"}
    said -= {"no exchange rate for"}

    with speaking("fr"):
        english = {text for text in said if spoken_reason(text) == text}

    assert len(said) > 25
    assert set() == english


def test_every_move_has_its_words() -> None:
    """Causes, topics and measures of fact_move, with each state of each kind of register; names stay."""
    code = (ROOT / "hub/feed/tables/fact_move.sql").read_text(encoding="utf-8").partition("), moves AS (")[2]
    code = re.sub(r"--.*", "", code)
    plain = set(re.findall(r"'([a-z][a-z ]*)'", code)) - {"date", "days", "open", "work"}
    kinds, states = (get_args(get_type_hints(RegisterItem)[name]) for name in ("kind", "state"))
    states = (*states, *(text.strip() for text in re.findall(r"' ([a-z]+)'", code)))
    risks = {f"{kind} {state}" for kind in kinds for state in states}
    budget = {f"{kind}, amount" for kind in get_args(get_type_hints(BudgetLine)["kind"])}
    with speaking("fr"):
        english = {text for text in plain | risks | budget if spoken_move(text) == text}

        assert {"correction", "budget"} == english, "words of both languages"
        assert "Go, live, fin" == spoken_move("Go, live, finish")
        assert "référence, montant" == spoken_move("baseline, amount")
    assert len(risks) == 24


@pytest.mark.parametrize(
    ("stored", "french"),
    [
        ("same name Jo Doe", "même nom Jo Doe"),
        ("same employee no 042, which 2 people have", "même matricule 042, que 2 personnes ont"),
        ("same email+alias jo@a.example", "même adresse par un alias jo@a.example"),
        ("both are called 'one, which 2 people have'", "toutes deux s'appellent 'one, which 2 people have'"),
        ("'A reads like B' reads like 'C'", "'A reads like B' ressemble à 'C'"),
        ("somebody said so", "somebody said so"),
    ],
)
def test_evidence_of_a_match(stored: str, french: str) -> None:
    """What a link is based on is kept in English and said in French; what people wrote stays as it is."""
    with speaking("fr"):
        assert french == matching.spoken_evidence(stored)
    assert stored == matching.spoken_evidence(stored)


def test_every_way_to_match_has_its_words() -> None:
    """What the rules write beside each link they find is said in French: no sentence of theirs is left."""
    faces = [
        Face(id="a:1", name="Jo Doe", emails=("jo@a.example",), login="A\\jo", employee_no="7"),
        Face(id="a:2", name="Al Ba", emails=("al@b.example",), login="al"),
        Face(id="a:3", name="Jo Doe"),
        Face(id="a:4", name="Zoe", person="p:1"),
    ]
    people = [
        Face(id="p:1", name="Doe Jo", emails=("jo@a.example",), employee_no="8"),
        Face(id="p:2", name="Al", emails=("al@a.example",), login="x"),
    ]
    found, _ = recognise(faces, people, {"b.example": "a.example"})
    with speaking("fr"):
        english = [one for one in found if matching.spoken_evidence(one.reason) == one.reason]

    assert {"email", "email+alias", "name", "manual"} == {one.method for one in found}
    assert [] == english


def test_every_kpi_is_defined_in_french() -> None:
    """Definition and edge cases, of which the SQL of the catalogue has the English ones."""
    texts = {text for one in catalogue().values() for text in (one.definition, one.edge_cases) if text}
    with speaking("fr"):
        english = {text for text in texts if words.tr(text) == text}

    assert len(texts) > 40
    assert set() == english


@pytest.mark.parametrize(
    ("value", "en", "fr"),
    [
        (1234567.0, "1,234,567", "1\u202f234\u202f567"),
        (1234.5, "1,234.5", "1\u202f234,5"),
        (-0.25, "-0.25", "-0,25"),
        (100.0, "100", "100"),
        (None, "", ""),
    ],
)
def test_figures_of_tables(value: float | None, en: str, fr: str) -> None:
    """As many decimals as there are, up to three, with the marks of the language."""
    for lang, expected in (("en", en), ("fr", fr)):
        with speaking(lang):  # type: ignore[arg-type]
            assert expected == plain_figure(value, 3)


def test_a_first_configuration_speaks_french(run_hub: Run, hub_folder: Path) -> None:
    """Its comments are French and its settings those of English: both are read alike."""
    ours, theirs = hub_folder / "fr" / "hub.toml", hub_folder / "en" / "hub.toml"
    for lang, place in (("fr", ours), ("en", theirs)):
        assert 0 == run_hub("--config", str(place), "init", "--yes", "--lang", lang).exit_code
    english, french = theirs.read_text(encoding="utf-8"), ours.read_text(encoding="utf-8")

    assert "# La configuration de pm-hub. Les chemins partent du dossier" in french
    assert 'country = "FR"         # jours fériés' in french
    assert [] == [text for text in configure.comments(english) if text in french and "team-week" not in text]
    assert english.count("\n") == french.count("\n")
    for one, other in zip(english.splitlines(), french.splitlines(), strict=True):
        if not one.startswith(("# The", "# Secrets", "lang")):
            assert one.rpartition(" # ")[0] == other.rpartition(" # ")[0]


def test_what_lists_show_is_spoken() -> None:
    """Each column of a KPI and of its rows, and of the lists of cuts and months, has a French heading.

    Words of the hub are French, what people wrote stays; English shows the names that JSON has.
    """
    told = {
        name
        for query in _RECEIPTS.values()
        for name in re.findall(r"(?:AS |\b[a-z]\.|, )([a-z_]+)(?=,| FROM)", query)
        if not name.startswith("_")
    }
    told |= {"sealed_at", "taken_at", "closed_at", "sealed_month", "posted_on", "run_at", "actor", "lines"}
    english = {name: spoken_column(name) for name in told}
    words.use("fr")

    assert {name: name for name in told} == english
    assert [] == sorted(name for name in told if "_" in spoken_column(name))
    assert "Indice de coût (CPI, JH)" == spoken_column("cpi", "EVM_DAYS")
    assert ("anomalie", "anomaly") == (spoken_cell("nature", "anomaly"), spoken_cell("title", "anomaly"))
    assert "main-d'œuvre" == spoken_cell("category", "labour")


def test_a_schedule_speaks_french(run_hub: Run, hub_folder: Path) -> None:
    """Its days, and the comments of what is written for the machine's own scheduler."""
    (hub_folder / "config" / "hub.toml").write_text(
        FRENCH + '[schedule]\nrun = "0 6 * * 1"\n', encoding="utf-8"
    )
    listed = run_hub("schedule", "list", "--count", "1").output
    unit = run_hub("schedule", "install", "--kind", "systemd").output

    assert re.search(r"  lun\. \d\d/\d\d/\d{4} 06:00 ", listed)
    assert "Description=pm-hub : synchroniser et publier" in unit
    assert "# 3 est une exécution partielle" in unit


def test_no_template_has_two_translations() -> None:
    """Catalogues are asked as one: what two packages say alike, they say alike in French too."""
    said: dict[object, set[str]] = {}
    for package in tool().packages():
        for message in tool().catalogue(package):
            if message.id and message.string:
                one = message.id if isinstance(message.id, str) else tuple(message.id)
                said.setdefault(one, set()).add(str(message.string))

    assert {} == {one: words for one, words in said.items() if len(words) > 1}


def few_of(kind: Any) -> set[str]:
    """Return the values that a type of a record allows, where they are few."""
    if get_origin(kind) is Literal:
        return {one for one in get_args(kind) if isinstance(one, str)}
    return {value for part in get_args(kind) if get_origin(part) for value in few_of(part)}


SAME_IN_BOTH = {"absence", "action", "incident", "hub", "ok", "plan"}
"""Values whose French word is the English one."""


def test_every_enumerated_value_of_the_model_has_a_word_in_both_languages() -> None:
    """Whatever a column of the feed may say of a few values is a word: 'start no later', 'main-d'œuvre'."""
    columns = {name for table in model().tables.values() for name in table.columns}
    found: dict[str, set[str]] = {}
    for struct in vars(records).values():
        if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
            for name, kind in get_type_hints(struct).items():
                if name in columns and few_of(kind) and struct.__name__ not in {"Column", "SiteField"}:
                    found.setdefault(name, set()).update(few_of(kind))
    said: dict[Lang, dict[tuple[str, str], str]] = {}
    for lang in ("en", "fr"):
        with speaking(lang):
            said[lang] = {(name, one): spoken_cell(name, one) for name in found for one in found[name]}
    with speaking("fr"):
        others = [
            spoken_cell(*one) for one in (
                ("category", "labour"), ("metric", "resolution"), ("category", "Licences"), ("title", "work"),
            )
        ]  # fmt: skip

    assert {"kind", "category", "nature", "state", "constraint_type", "approval"} <= found.keys()
    assert {one[1] for one, word in said["fr"].items() if word == said["en"][one]} <= SAME_IN_BOTH
    assert [] == [word for by in said.values() for word in by.values() if "_" in word]
    assert ["main-d'œuvre", "résolution", "Licences", "work"] == others, "what people wrote stays"
