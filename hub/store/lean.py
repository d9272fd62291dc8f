"""sqlite-utils without numpy and pandas: it loads them where they are installed; a store needs neither."""

from __future__ import annotations

import sys
from typing import Any

_HIDDEN = [name for name in ("numpy", "pandas") if name not in sys.modules]
_MODULES: dict[str, Any] = sys.modules
for name in _HIDDEN:
    _MODULES[name] = None  # an import of it fails, as where it is not installed
try:
    from sqlite_utils import Migrations
    from sqlite_utils.db import Database
finally:
    for name in _HIDDEN:
        _MODULES.pop(name, None)

__all__ = ["Database", "Migrations"]
