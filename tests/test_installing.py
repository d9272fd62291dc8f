"""Plugins are found by name and installed where the hub is, looked at and certified first; no network.

The wheels are made here, the index is a folder, and the environment is one of the test's own.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError, PluginError
from hub.testing import HubResult, hub_folder, run_hub
from hub.upkeep import installer as installing
from hub.upkeep import known
from hub.upkeep.installer import Installer, Places
from hub.version import version
from hub.words import speaking

__all__ = ["hub_folder", "run_hub"]

HERE = f"{version()}"
MODULE = "from hub import hookimpl\n\n@hookimpl\ndef register_sources():\n    return []\n"


def wheel(
    folder: Path,
    name: str = "pm-hub-acme",
    *,
    of: str = "1.0",
    needs: tuple[str, ...] = (f"pm-hub>={HERE}",),
    entry: str = "acme = hub_acme",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel as the specification of wheels says, with nothing but the standard library."""
    files = files or {"hub_acme/__init__.py": MODULE}
    base = f"{name.replace('-', '_')}-{of}"
    info = f"{base}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
    held = dict(files) | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {of}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[hub]\n{entry}\n" if entry else "",
    }
    record = "".join(f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in held.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{base}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for one, text in (held | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(one, text)
    return path


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def unpacked(tmp_path: Path, name: str = "acme", plugins: dict[str, known.Known] | None = None) -> Any:
    """Unpack what *name* asks for from the folder of wheels."""
    places = Places(links=(str(tmp_path / "index"),), only=True)
    return Installer.here().unpack(known.wanted(name, plugins or {}), tmp_path / "plugin", places)


# ---------- names and lists ----------


@pytest.mark.parametrize(
    "name",
    [
        "", "-r", "--index-url=x", "../acme", "acme; rm -rf", "ACME", "acme==", "acme==../1", "acme>=1",
        "acme[all]", "pm-hub-acme @ https://example.org/a", "acme==1 other", "$(id)", "no/such.whl", "a.whl",
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """What reaches an installer is a name and a version, never an option, an address or a path."""
    with pytest.raises(ConfigError):
        known.wanted(name, {})


def test_names_become_distributions() -> None:
    plugins = known.known(None)

    assert "pm-hub-redmine" == known.wanted("redmine", plugins).distribution
    assert "pm-hub-acme" == known.wanted("acme", plugins).distribution
    assert ("pm-hub-acme", "1.2") == (
        (one := known.wanted("pm-hub-acme==1.2", plugins)).distribution, one.version
    )  # fmt: skip


def test_the_list_names_what_is_in_the_repository() -> None:
    """Each bundled plugin is in the list, and nothing else is."""
    root = Path(__file__).parents[1] / "plugins"

    assert sorted(one.name for one in root.iterdir() if (one / "pyproject.toml").exists()) == sorted(
        known.known(None)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[acme]\nen = 'a'\nfr = 'a'\n", "distribution"),
        ("[acme]\ndistribution = '--index-url'\nen = 'a'\nfr = 'a'\n", "--index-url"),
        ("[acme]\ndistribution = 'a'\nen = 'a'\nfr = 'a'\nsha256 = { '1.0' = ['zz'] }\n", "zz"),
        ("[acme\n", "no list of plugins"),
    ],
)
def test_a_list_of_your_own_is_looked_at(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / known.LIST).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        known.known(tmp_path)


def test_a_list_of_your_own_goes_before(tmp_path: Path) -> None:
    """It vouches for versions: the newest of it is taken, and no other."""
    digests = "\n".join(f"'{of}' = ['{of[0] * 64}']" for of in ("1.0", "2.0"))
    (tmp_path / known.LIST).write_text(
        f"[jira]\ndistribution = 'acme-jira'\nen = 'Ours'\nfr = 'Le nôtre'\n[jira.sha256]\n{digests}\n",
        encoding="utf-8",
    )
    plugins = known.known(tmp_path)
    found = known.wanted("jira", plugins)

    assert ("acme-jira", "2.0", ("2" * 64,)) == (found.distribution, found.version, found.digests)
    with pytest.raises(ConfigError, match=r"vouches for jira 1\.0, 2\.0, and not for 3\.0"):
        known.wanted("jira==3.0", plugins)
    with speaking("fr"):
        assert "Le nôtre" == dict(known.search("jira", plugins))["jira"].says


def test_search_shows_names_and_what_they_are_for(run_hub: Callable[..., HubResult]) -> None:
    said = run_hub("plugin", "search", "power")

    assert "powerbi" in said.output
    assert "redmine" not in said.output


# ---------- looked at, never run ----------


@pytest.mark.long
@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"needs": ("pm-hub>=99",)}, "is made for pm-hub >=99, and this is"),
        ({"needs": ("pm-hub<0.1",)}, "is made for pm-hub <0.1"),
        ({"needs": ("requests",)}, "does not say for which hub it is made"),
        ({"needs": ("pm-hub",)}, "does not say for which hub it is made"),
        ({"entry": ""}, "is no plugin of the hub"),
        ({"entry": "acme = os"}, "is no plugin of the hub"),
        ({"entry": "acme = hub_other"}, "is no plugin of the hub"),
    ],
)
def test_what_is_not_for_this_hub_is_refused(made: dict[str, Any], said: str, tmp_path: Path) -> None:
    """By what its wheel says; nothing of it is imported for that."""
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n{MODULE}"
    wheel(tmp_path / "index", files={"hub_acme/__init__.py": trap}, **made)
    with pytest.raises(PluginError, match=said):
        unpacked(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_only_wheels_are_taken(tmp_path: Path) -> None:
    """To build a package is to run what its author wrote."""
    source = tmp_path / "index" / "pm_hub_acme-1.0"
    source.mkdir(parents=True)
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    shutil.make_archive(str(source), "gztar", source.parent, source.name)
    with pytest.raises(PluginError, match="could not bring acme"):
        unpacked(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.long
@pytest.mark.parametrize("by", ["index", "file"])
def test_a_wheel_that_nobody_vouched_for_is_refused(by: str, tmp_path: Path) -> None:
    """Where a list gives digests, another file of that version is not taken."""
    path = wheel(tmp_path / "index")
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    name = "acme" if by == "index" else str(path)
    one = {"distribution": "pm-hub-acme", "en": "a", "fr": "a"}
    good = {"acme": known.Known(**one, sha256={"1.0": (right,)})}
    bad = {"acme": known.Known(**one, sha256={"1.0": ("0" * 64,)})}

    assert "1.0" == unpacked(tmp_path, name, good).version
    shutil.rmtree(tmp_path / "plugin")
    with pytest.raises(PluginError):
        unpacked(tmp_path, name, bad)


def test_what_is_lacking_here_is_known(tmp_path: Path) -> None:
    wheel(tmp_path / "index", needs=(f"pm-hub>={HERE}", "click", "acme-lib>=1", "nt-only; os_name == 'nt'"))

    assert ("acme-lib>=1",) == unpacked(tmp_path).lacks


def test_without_an_index_it_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with pytest.raises(PluginError, match=r"(?s)pip could not bring acme: .*--find-links and --no-index"):
        unpacked(tmp_path)


def test_what_signs_in_to_an_index_is_not_shown() -> None:
    said = installing._last("ERROR: no such page https://me:secret@pypi.example.org/simple/acme")

    assert "ERROR: no such page https://***@pypi.example.org/simple/acme" == said


# ---------- by whom ----------


def answer(said: str) -> Any:
    return lambda command, **how: subprocess.CompletedProcess(command, 0, said, "")


def test_the_installer_is_that_of_this_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip of this Python; uv where the hub came by it; pipx where it is that of this environment."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venvs" / "pm-hub"))
    (tmp_path / "venvs" / "pm-hub").mkdir(parents=True)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert ("pip", [sys.executable, "-m", "pip"]) == ((one := Installer.here()).name, one.command)
    (tmp_path / "venvs" / "pm-hub" / "uv-receipt.toml").touch()
    assert ("uv", ["/bin/uv", "pip"]) == ((one := Installer.here()).name, one.command)
    (tmp_path / "venvs" / "pm-hub" / "pipx_metadata.json").touch()
    assert "pipx" == Installer.here(answer(f"{tmp_path / 'venvs'}\n")).name
    with pytest.raises(ConfigError, match="looks after"):
        Installer.here(answer("/somewhere/else\n"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="not on the PATH"):
        Installer.here()


def test_no_installer_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(installing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="Neither pip nor uv"):
        Installer.here()


# ---------- in an environment ----------


class Environment:
    """An environment of its own that has this hub and its dependencies, and a folder with a configuration."""

    def __init__(self, folder: Path, *, pip: bool = True) -> None:
        self.folder = folder
        venv.create(folder / "env", with_pip=pip, symlinks=os.name != "nt")
        scripts, python = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        self.python = folder / "env" / scripts / python
        self.site = next((folder / "env").rglob("site-packages"))
        places = [one for one in sys.path if one and Path(one).is_dir()]
        # as sites, so that what lies there in the way of editable packages is found, too
        line = f"import site; list(map(site.addsitedir, {places!r}))\n"
        (self.site / "hub.pth").write_text(line, encoding="utf-8")

    def hub(self, *arguments: str, says: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        given = os.environ | {"PM_HUB_CACHE": str(self.folder / "cache"), "PM_HUB_LANG": "en"} | environment
        given.pop("PYTHONPATH", None)
        return subprocess.run(
            [self.python, "-m", "hub", *arguments], capture_output=True, text=True, check=False,
            encoding="utf-8", cwd=self.folder, env=given, input=says,
        )  # fmt: skip

    def has(self, name: str) -> bool:
        return bool(list(self.site.glob(f"{name.replace('-', '_')}-*.dist-info")))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("installing"))


def certified(folder: Path) -> dict[str, str]:
    """Return the files of a new connector as `hub plugin new` writes it."""
    from hub.cli.connectors import write_plugin

    written = write_plugin("acme", "rest", folder)
    inside = [one for one in written if "hub_acme" in one.relative_to(folder).parts[0]]
    return {one.relative_to(folder).as_posix(): one.read_text(encoding="utf-8") for one in inside}


@pytest.mark.long
def test_it_is_shown_asked_certified_and_installed(environment: Environment, tmp_path: Path) -> None:
    """The whole way: with what it lacks, into this environment whatever the settings of pip say."""
    index = tmp_path / "index"
    needs = (f"pm-hub>={HERE}", "acme-lib>=1")
    wheel(index, needs=needs, files=certified(tmp_path / "acme"))
    wheel(index, "acme-lib", needs=(), entry="", files={"acme_lib.py": "A = 1\n"})
    ask = ["plugin", "install", "acme", "--find-links", str(index), "--no-index"]

    refused = environment.hub(*ask, says="n\n")
    assert 2 == refused.returncode
    assert "pm-hub-acme==1.0 (acme)" in refused.stdout
    assert "brings too: acme-lib>=1" in refused.stdout
    assert "by nobody: its code will run with your rights" in refused.stdout
    assert not environment.has("pm-hub-acme")

    done = environment.hub(*ask, "--level", "silver", says="y\n", PIP_TARGET=str(tmp_path / "elsewhere"))
    assert 0 == done.returncode, done.stderr + done.stdout
    assert "acme: Gold" in done.stdout
    assert environment.has("pm-hub-acme")
    assert environment.has("acme-lib")
    assert not (tmp_path / "elsewhere").exists()
    assert "acme" in environment.hub("plugin", "list").stdout
    assert "is installed already" in environment.hub(*ask, "--yes").stdout


@pytest.mark.long
def test_what_is_not_certified_is_not_installed(environment: Environment, tmp_path: Path) -> None:
    """Neither one that fails, nor one that brings no certification, unless somebody takes it so."""
    index = tmp_path / "index"
    broken = {"hub_bad/__init__.py": MODULE, "hub_bad/testing/__init__.py": ""}
    broken |= {"hub_bad/testing/certification.py": "raise RuntimeError('not ready')\n"}
    wheel(index, "pm-hub-bad", entry="bad = hub_bad", files=broken)
    wheel(index, "pm-hub-bare", entry="bare = hub_bare", files={"hub_bare/__init__.py": MODULE})
    ask = ["--find-links", str(index), "--no-index", "--yes"]

    failed = environment.hub("plugin", "install", "bad", *ask)
    assert 1 == failed.returncode
    assert "pm-hub-bad==1.0 does not reach bronze, and nothing was installed" in failed.stderr + failed.stdout
    assert not environment.has("pm-hub-bad")
    bare = environment.hub("plugin", "install", "bare", *ask, PM_HUB_LANG="fr")
    assert 2 == bare.returncode
    assert "--uncertified" in bare.stderr + bare.stdout
    assert not environment.has("pm-hub-bare")
    assert 0 == environment.hub("plugin", "install", "bare", *ask, "--uncertified").returncode
    assert environment.has("pm-hub-bare")


def test_nothing_is_installed_where_nobody_can_be_asked(environment: Environment, tmp_path: Path) -> None:
    """A schedule is no person."""
    path = wheel(tmp_path, "pm-hub-quiet", entry="quiet = hub_quiet", files={"hub_quiet/__init__.py": MODULE})

    asked = environment.hub("plugin", "install", str(path), "--uncertified")
    assert 2 == asked.returncode
    assert "nobody said yes" in asked.stderr + asked.stdout
    assert hashlib.sha256(path.read_bytes()).hexdigest() in asked.stdout
    assert not environment.has("pm-hub-quiet")


def test_uv_installs_where_the_hub_came_by_it(tmp_path: Path) -> None:
    """Into the environment that asks, by its own Python, whatever uv is told to take otherwise."""
    if shutil.which("uv") is None:
        pytest.skip("needs uv on the PATH")
    environment = Environment(tmp_path, pip=False)
    (tmp_path / "env" / "uv-receipt.toml").touch()
    wheel(tmp_path / "index")

    done = environment.hub(
        "plugin", "install", "acme", "--find-links", str(tmp_path / "index"), "--no-index", "--uncertified",
        "--yes", UV_PYTHON="/nowhere",
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    assert "(uv)" in done.stdout
    assert environment.has("pm-hub-acme")
