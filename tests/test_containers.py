"""The image and the compose file: non-root, read-only, healthy, and without a secret in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub.plugins import Plugins
from hub.secrets import Secret
from hub.settings import load

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "Dockerfile").exists(), reason="a copy without the containers")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the image and their arguments, continued lines in one."""
    text = (ROOT / "Dockerfile").read_text()
    lines = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [tuple(line.split(" ", 1)) for line in lines.splitlines() if line.strip()]  # type: ignore[misc]


def compose() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "compose.yaml").read_text())


def test_the_linter_of_images_has_nothing_to_say() -> None:
    """hadolint, which knows what shells and registries do to an image, by all its rules."""
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if linter is None:
        pytest.skip("hadolint is not installed")
    found = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)

    assert (0, "", "") == (found.returncode, found.stdout, found.stderr)


def test_the_image() -> None:
    """It runs as a number, keeps its data in a volume, says how it is, and hears SIGTERM itself."""
    found = instructions()
    last = dict(found)
    start = max(at for at, (name, _) in enumerate(found) if name == "FROM")

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    assert [] == [one for one in found[found.index(("USER", last["USER"])) :] if one[0] == "RUN"]
    assert "/hub/data" == last["VOLUME"]
    assert "SIGTERM" == last["STOPSIGNAL"]
    assert re.search(r'--start-period=\S+ .*CMD \["hub", "status"', last["HEALTHCHECK"])
    for name in ("ENTRYPOINT", "CMD"):  # a shell in between would not pass the signal on
        assert last[name].startswith("[")
    assert all("latest" not in image and ":" in image for name, image in found if name == "FROM")
    assert [] == [one for one in found if one[0] == "ADD"]
    assert [] == [
        text for name, text in found if name in {"ENV", "ARG"} and re.search("TOKEN|PASSWORD|KEY=", text)
    ]
    assert all("pip install" not in text for _, text in found[start:])  # no tools of building in what runs


def test_the_image_has_every_plugin_and_no_more_than_it_needs() -> None:
    """Each bundled plugin is installed; what is not named in .dockerignore stays outside."""
    (built,) = [text for name, text in instructions() if name == "RUN" and "pip install" in text]
    installed = set(re.findall(r"plugins/(\w+)", built))
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    bundled = {place.parent.name for place in ROOT.glob("plugins/*/pyproject.toml")}

    assert bundled == installed
    assert "*" == (ROOT / ".dockerignore").read_text().splitlines()[0]
    assert {
        "hub",
        "plugins",
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
        "constraints.txt",
    } == let_in


def test_the_compose_file_is_one(tmp_path: Path) -> None:
    """It is of the form that the Compose specification gives."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "compose.yaml")], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_services() -> None:
    """The hub needs no right; each secret is a file that prepare.sh makes; each service says how it is."""
    found = compose()
    hub = found["services"]["hub"]
    made = (ROOT / "container" / "prepare.sh").read_text()

    assert {"hub", "database", "grafana"} == found["services"].keys()
    assert (True, ["ALL"]) == (hub["read_only"], hub["cap_drop"])
    assert "data:/hub/data" in hub["volumes"]
    assert any(volume.endswith(":/hub/config:ro") for volume in hub["volumes"])
    for name, service in found["services"].items():
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["restart"]
        assert name == "hub" or service["healthcheck"]
        assert name == "hub" or re.search(r":\d", service["image"])
        assert set(service["secrets"]) <= found["secrets"].keys()
        for variable, value in service["environment"].items():
            assert "PASSWORD" not in variable or value.startswith("/run/secrets/")
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for secret in found["secrets"].values():
        assert Path(secret["file"]).name in made
    assert "/container/secrets/" in (ROOT / ".gitignore").read_text()


def test_the_configuration_of_the_container(tmp_path: Path) -> None:
    """It is valid, and what it asks of the database and of Grafana is what the compose file gives."""
    folder = tmp_path / "config"
    folder.mkdir()
    shutil.copy(ROOT / "container" / "config" / "hub.toml", folder)
    plugins = Plugins()
    settings = load(folder / "hub.toml", sources=plugins.sources, destinations=plugins.destinations)
    found = compose()
    warehouse: Any = settings.destinations["warehouse"]
    grafana: Any = settings.destinations["grafana"]

    assert warehouse.host in found["services"]
    assert found["services"]["database"]["environment"]["POSTGRES_DB"] == warehouse.database
    assert "Secret(file='/run/secrets/hub_database')" == repr(warehouse.password)
    assert (
        f"{grafana.location}/provisioning"
        == (found["services"]["grafana"]["environment"]["GF_PATHS_PROVISIONING"])
    )
    assert grafana.password_env in str(found["services"]["grafana"]["entrypoint"])
    assert settings.metrics == tmp_path / "data" / "pm_hub.prom"


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix" or shutil.which("openssl") is None, reason="a shell and openssl")
def test_secrets_are_made_once(tmp_path: Path) -> None:
    """Passwords differ, the certificate is for the database's name, and a second call changes nothing."""
    script = shutil.copy(ROOT / "container" / "prepare.sh", tmp_path)
    subprocess.run(["sh", script], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(["sh", script], check=True, capture_output=True)
    checked = subprocess.run(
        ["openssl", "verify", "-CAfile", "ca.crt", "-verify_hostname", "database", "server.crt"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert 4 == len(
        {before[name] for name in ("database", "hub_database", "grafana_database", "grafana_admin")}
    )
    assert "server.crt: OK" in checked.stdout
    assert 0o700 == folder.stat().st_mode & 0o777
    assert before["hub_database"].decode().strip() == Secret("file", "hub_database", folder).reveal()
