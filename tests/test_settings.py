"""Configuration: every mistake is named with file, section, key and what is known; secrets stay secret."""

from __future__ import annotations

import codecs
import json
import logging
import os
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from hub.destination import Destination
from hub.errors import ConfigError
from hub.plugins import Plugins
from hub.secrets import Secret
from hub.settings import find_config, json_schema, load, sections
from hub.settings.files import _KNOWN
from hub.source import Source


class Acme(Source, frozen=True, kw_only=True):
    """A source with every kind of setting."""

    kind: ClassVar[str] = "acme"
    url: str
    token: Secret | None = None
    pages: int = 10


class Paper(Destination, frozen=True, kw_only=True):
    """A destination."""

    kind: ClassVar[str] = "paper"
    path: str


def read(folder: Path, text: str):
    path = folder / "config" / "hub.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load(path, sources={"acme": Acme}, destinations={"paper": Paper})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('stroe = "x"', "unknown key 'stroe'. Did you mean 'store'?"),
        ("[sources.a]\nurl = 'x'", "[sources.a]: the key kind is missing; known kinds: acme"),
        ("[sources.a]\nkind = 'acne'", "[sources.a]: unknown kind 'acne'. Did you mean 'acme'?"),
        ("[sources.a]\nkind = 'acme'", "[sources.a]: the key 'url' is missing"),
        ("[sources.a]\nkind = 'acme'\nurl = 3", "[sources.a]: url is 3; it is to be a text, in quotes."),
        ("[engine]\nmemory_mb = 0", "[engine]: memory_mb is 0; it is to be at least 1."),
        ("[engine]\njobs = '8'", "[engine]: jobs is to be a whole number, without quotes."),
        ("[engine]\nmax_source_s = nan", "[engine]: max_source_s is nan; it is to be above 0."),
        ("[engine]\naddress = 'scheduler:8786'", "address is to be a text that matches ^(tcp|tls)://."),
        ("[log]\njson = 1", "[log]: json is 1; it is to be true or false, without quotes."),
        ("[notify]\nto = 'pmo@example.com'", "[notify]: to is to be a list, in brackets."),
        ("[gate]\nmin_quality = 101", "[gate]: min_quality is 101; it is to be at most 100."),
        ("[gate]\nmax_unmapped = 40", "max_unmapped is 40; it is to be at most 1. 40 % is written 0.4."),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\nmax_rejected = 20",
            "[sources.a]: max_rejected is 20; it is to be at most 1. 20 % is written 0.2.",
        ),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\nmax_leave = -0.5",
            "[sources.a]: max_leave is -0.5; it is to be at least 0.",
        ),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\npage = 3",
            "[sources.a]: unknown key 'page'. Did you mean 'pages'?",
        ),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\ntoken = 's3cret'",
            "a secret is not written in the configuration",
        ),
        ("[sources.a]\nkind = 'acme'\nurl = 'x'\ntoken = { keyring = 's3cret' }", 'keyring = "service/name"'),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\ntz = 'Europe/Pariss'",
            "[sources.a]: tz = 'Europe/Pariss' is not a time zone",
        ),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\ntz = '../etc'",
            "[sources.a]: tz = '../etc' is not a time zone",
        ),
        ("[sources.a]\nkind = 'acme'\nurl = 'x'\ntz = ''", "[sources.a]: tz = '' is not a time zone"),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\nhours_per_day = 0.0",
            "hours_per_day = 0 is not above 0 and at most 24",
        ),
        (
            "[sources.a]\nkind = 'acme'\nurl = 'x'\nhours_per_day = 420.0",
            "hours_per_day = 420 is not above 0",
        ),
        ("[sources.a]\nkind = 'acme'\nurl = 'x'\nhours_per_day = nan", "hours_per_day = nan is not above 0"),
        ("[schedule]\ntz = 'Mars/Olympus'", "[schedule]: tz = 'Mars/Olympus' is not a time zone"),
        ("currency = 'EURO'", "currency = 'EURO' is not a code of ISO 4217 such as EUR"),
        ("[sources.'a b']\nkind = 'acme'\nurl = 'x'", "a name starts with a letter"),
        ("[sources.config]\nkind = 'acme'\nurl = 'x'", "is not 'config'"),
        (
            "[destinations.d]\nkind = 'paper'\npath = 'o'\nprivacy = 'all'",
            "privacy cannot be 'all'. Known: nominative-line, project, pseudonym-week, team-week.",
        ),
        ("[gate]\nfreshness = 'never'", "[gate]: freshness cannot be 'never'. Known: block, warn."),
        ("lang = 'de'", 'lang is "en" or "fr"'),
        ("sources = 3", "write each of the sources as a table"),
        ("a = ", "is not valid TOML"),
        # \\U and \\s are no letters of TOML, \\t, \\n and \\b are: a tab, a line and a step back in a path
        ('store = "C:\\Users\\hub.db"', "single quotes, 'C:\\plans'"),
        ('[sources.a]\nkind = "acme"\nurl = "\\\\server\\share"', "single quotes, 'C:\\plans'"),
        ('store = "C:\\temp.db"', "'C:\\temp.db' holds a special letter"),
        ('feed = "data\\new"', "hub.toml feed: 'data\\new' holds a special letter"),
        ('[sources.a]\nkind = "acme"\nurl = "D:\\backup"', "hub.toml sources a url: 'D:\\x08ackup'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    """The message names the place and the way out, and never repeats a secret."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)

    assert words in str(caught.value)
    assert "hub.toml" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_two_sites_are_two_tables(tmp_path: Path) -> None:
    """The table's name is the source's id; a byte-order mark of Windows editors is fine."""
    settings = read(
        tmp_path, "\ufeff[sources.one]\nkind = 'acme'\nurl = 'x'\n[sources.two]\nkind = 'acme'\nurl = 'y'"
    )

    assert {"one": "x", "two": "y"} == {name: source.url for name, source in settings.sources.items()}  # type: ignore[attr-defined]
    assert "one:1" == settings.sources["one"].row_id(1)


def test_no_configuration(tmp_path: Path) -> None:
    """A missing file says how to make one."""
    with pytest.raises(ConfigError, match="Run `hub init`"):
        load(tmp_path / "hub.toml", sources={}, destinations={})


def test_where_the_configuration_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, then ./config/hub.toml, then HUB_CONFIG."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_CONFIG", "elsewhere.toml")

    assert Path("given.toml") == find_config("given.toml")
    assert Path("elsewhere.toml") == find_config(None)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hub.toml").touch()
    assert Path("config/hub.toml") == find_config(None)


def test_secrets_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither repr, log nor error holds the value; only reveal() gives it."""
    monkeypatch.setenv("ACME", "s3cret-value")
    settings = read(tmp_path, "[sources.a]\nkind = 'acme'\nurl = 'x'\ntoken = { env = 'ACME' }")
    token = settings.sources["a"].token  # type: ignore[attr-defined]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("hub").warning("%r %s", settings, token)

    assert "s3cret-value" == token.reveal()
    assert "s3cret-value" not in caplog.text
    assert "env='ACME'" in repr(token)


def test_a_secret_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing variable, file or keyring entry is named."""
    monkeypatch.delenv("NOPE", raising=False)

    with pytest.raises(ConfigError, match="NOPE is not set"):
        Secret("env", "NOPE", tmp_path).reveal()
    with pytest.raises(ConfigError, match="cannot be read"):
        Secret("file", "nope.txt", tmp_path).reveal()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize(
    "raw",
    [
        "pässe mot".encode(),
        "\ufeffpässe mot\n".encode(),
        codecs.BOM_UTF16_LE + "pässe mot\r\n".encode("utf-16-le"),
        "pässe mot\r\n".encode("cp1252"),
    ],
    ids=["UTF-8", "with its mark, as Notepad", "UTF-16, as > of PowerShell", "Windows-1252"],
)
def test_a_secret_as_editors_write_it(raw: bytes, tmp_path: Path) -> None:
    """A mark before it would be sent with it, and refused by the tool in words of its own."""
    (tmp_path / "token").write_bytes(raw)
    (tmp_path / "token").chmod(0o600)

    assert "pässe mot" == Secret("file", "token", tmp_path).reveal()


@pytest.mark.parametrize(
    ("raw", "told"), [(b"", "is empty"), (b"\xef\xbb\xbf \n", "is empty"), (b"s3cret\x81", "is no text")]
)
def test_a_secret_file_without_a_secret(raw: bytes, told: str, tmp_path: Path) -> None:
    """What was read is not shown."""
    (tmp_path / "token").write_bytes(raw)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(ConfigError, match=told) as caught:
        Secret("file", "token", tmp_path).reveal()

    assert "s3cret" not in f"{caught.value!r} {caught.value.__context__!r}"


def test_a_secret_file_must_be_private(tmp_path: Path) -> None:
    """A file that others can read is refused with the command that mends it."""
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Secret("file", "token", tmp_path).reveal()
    path.chmod(0o600)

    assert "s3cret" == Secret("file", "token", tmp_path).reveal()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444])
def test_a_secret_as_container_platforms_mount_it(tmp_path: Path, mode: int) -> None:
    """Docker mounts secrets 0444, Kubernetes 0440 for its group: nobody may write them, they are taken."""
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(mode)

    assert "s3cret" == Secret("file", "token", tmp_path).reveal()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666, 0o422])
def test_a_secret_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """Whoever may write a token decides which account the hub signs in with: refused, whatever its owner."""
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(mode)

    with pytest.raises(ConfigError, match="can be written by other accounts"):
        Secret("file", "token", tmp_path).reveal()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_secret_of_another_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the platform's own account, 0644 as Kubernetes writes it: not ours to narrow, it is taken."""
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o644)
    other = path.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)

    assert "s3cret" == Secret("file", "token", tmp_path).reveal()


def test_a_bundle_starts_at_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative ca_bundle starts where every path of the configuration does, not at the current folder."""
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "hub.toml"
    path.write_text('[engine]\nca_bundle = "certs/company.pem"\n')
    monkeypatch.chdir("/")

    found = load(path, sources={}, destinations={})
    assert str(tmp_path / "certs" / "company.pem") == found.engine.network.ca_bundle


def test_a_cluster_has_an_address(tmp_path: Path) -> None:
    """Only with kind = "dask" a scheduler is asked, and then its address has to be there."""
    with pytest.raises(ConfigError, match=r"\[engine\] kind = \"dask\" needs address"):
        read(tmp_path, '[engine]\nkind = "dask"\n')
    with pytest.raises(ConfigError, match="address"):
        read(tmp_path, '[engine]\nkind = "dask"\naddress = "scheduler:8786"\n')

    assert read(tmp_path, '[engine]\naddress = "tls://s:8786"\n').engine.cluster is None
    assert (
        "tls://s:8786" == read(tmp_path, '[engine]\nkind = "dask"\naddress = "tls://s:8786"\n').engine.cluster
    )


def test_every_number_in_settings_has_bounds() -> None:
    """A number nobody bounds is one that lets a guard be off without a word: a share of 20 for 20 %."""
    plugins = Plugins()
    named = ("Schedule", "Notify", "Log", "Gate", "Engine", "Match", "PrivacySettings", "BackupSettings")
    tables = [getattr(sections, name) for name in (*named, "Retention")]
    unbounded, numbers = set(), 0
    for table in (*tables, *plugins.sources.values(), *plugins.destinations.values()):
        schema = msgspec.json.schema(table, schema_hook=lambda wanted: {"type": "string"})
        for name, field in schema["$defs"][table.__name__]["properties"].items():
            for kind in field.get("anyOf", [field]):
                if kind.get("type") in {"integer", "number"}:
                    numbers += 1
                    if not {"minimum", "exclusiveMinimum"} & kind.keys():
                        unbounded.add(name)

    assert numbers > 60
    assert {"hours_per_day"} == unbounded, "how long a day is, is checked apart"


def test_json_schema_knows_every_setting() -> None:
    """Editors see kinds, settings and the form of a secret."""
    schema = json_schema({"acme": Acme}, {"paper": Paper})
    (acme,) = schema["properties"]["sources"]["additionalProperties"]["oneOf"]

    assert {"kind", "url", "token", "pages", "tz"} <= acme["properties"].keys()
    assert ["kind", "url"] == acme["required"]
    assert "keyring" in json.dumps(acme["properties"]["token"])
    assert not acme["additionalProperties"]
    assert set(_KNOWN) == schema["properties"].keys(), "what is read is known to editors"


def test_check_looks_at_the_configuration_itself(hub_folder: Path, run_hub) -> None:
    """A country without public holidays and a schedule that is none are failed checks with a sentence."""
    (hub_folder / "config" / "hub.toml").write_text(
        'country = "FRA2"\n[schedule]\nrun = "61 6 * * *"\n', encoding="utf-8"
    )
    told = run_hub("check", "--json")
    found = {line["name"]: (line["state"], line["detail"]) for line in json.loads(told.output)}

    assert 1 == told.exit_code
    assert ("failed", True) == (
        found["country"][0],
        "'FRA2' is not the ISO code of a country" in found["country"][1],
    )
    assert ("failed", "[schedule] run = '61 6 * * *': '61' is not a minute (0-59).") == found["schedule"]
