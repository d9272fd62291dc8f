"""make's twin, for machines without make: `nox`, or `nox --session tests`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

nox.options.sessions = ["tests", "lint"]
nox.options.default_venv_backend = "venv"


def _install(session: nox.Session) -> None:
    session.install("-r", "requirements.txt", "-c", "constraints.txt")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the proofs (make test); what stands after -- goes to pytest: --fast, plugins/jira."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", "-n", "auto", *session.posargs)


@nox.session
def tests_long(session: nox.Session) -> None:
    """Run what takes seconds each (make test-long)."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", "-n", "auto", "--long", *session.posargs)


@nox.session
def proof(session: nox.Session) -> None:
    """Run the long proofs whole (make proof); -- --part NAME runs one part."""
    _install(session)
    session.run("python", "-m", "pytest", "-q", "-n", "auto", *session.posargs, env={"PM_HUB_PROOF": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Look at the code (make lint)."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")
    workflows = [str(path) for path in Path(".github/workflows").glob("*.yml")]
    forms = [str(path) for path in Path(".github/ISSUE_TEMPLATE").glob("*_*.yml")]
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *forms)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs site, every link checked (make docs-site).

    With -- --write, rewrite the pages written from the code (make docs).
    """
    _install(session)
    if "--write" in session.posargs:
        pages = [*Path("docs").glob("**/*.md"), *Path("plugins").glob("*/README.md")]
        session.run("python", "-m", "cogapp", "-r", *sorted(map(str, pages)))
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def wheels(session: nox.Session) -> None:
    """Build wheels and sdists into dist/ (make wheels)."""
    _install(session)
    session.run("python", os.path.join(".ci", "build.py"), "dist")


@nox.session
def demo(session: nox.Session) -> None:
    """Make the demonstration (make demo)."""
    _install(session)
    session.run("hub", "demo", "--out", "demo", *session.posargs)


if __name__ == "__main__":
    sys.exit("Run it with nox: python -m pip install nox, then nox --list.")
