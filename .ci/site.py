"""What the docs site adds to docs/.

The pages of the plugins, and links that lead there or to the repository.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
_COG = re.compile(r"<!-- \[\[\[cog.*?\]\]\] -->\n?|<!-- \[\[\[end\]\]\] -->\n?", re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)\s]+)(?=\))")


def on_files(files: Files, *, config: Any) -> Files:
    """Add each plugin's README as a page of the site, in the navigation too."""
    pages = []
    for readme in sorted(ROOT.glob("plugins/*/README.md")):
        page = f"plugins/{readme.parent.name}.md"
        files.append(File.generated(config, page, content=readme.read_text(encoding="utf-8")))
        pages.append(page)
    if not any("Plugins" in one for one in config.nav if isinstance(one, dict)):
        config.nav.insert(3, {"Plugins": pages})
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Leave out the programs that write pages, and point links of the repository to the pages of the site."""
    uri = page.file.src_uri
    home = Path(uri).stem if uri.startswith("plugins/") else ""
    docs = ROOT / "docs"
    folder = ROOT / "plugins" / home if home else (docs / uri).parent
    up = "../" * uri.count("/")

    def lead(found: re.Match[str]) -> str:
        path, mark, anchor = found[1].partition("#")
        target = (folder / path).resolve()
        if target.parent.parent == ROOT / "plugins" and target.name == "README.md":
            return f"{up}plugins/{target.parent.name}.md{mark}{anchor}"
        if target.is_relative_to(docs) and target.suffix in {".md", ".png"}:
            return f"{up}{target.relative_to(docs).as_posix()}{mark}{anchor}"
        if target.exists() and target.is_relative_to(ROOT):
            return f"{config.repo_url}/blob/main/{target.relative_to(ROOT).as_posix()}{mark}{anchor}"
        return found[0]  # leads nowhere: the build says so

    return _LINK.sub(lead, _COG.sub("", markdown))
