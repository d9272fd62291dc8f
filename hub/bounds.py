"""What numbers in settings may be."""

from __future__ import annotations

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]
"""A whole number of things, at least one."""
Positive = Annotated[float, msgspec.Meta(gt=0)]
"""A time or a size."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of a whole: 0.2 is 20 %."""
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
"""Where a server listens."""
