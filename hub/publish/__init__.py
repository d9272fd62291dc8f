"""From the store to dashboards: build beside, verify, switch, deliver.

Cuts and sealed months are made here too.
"""

from hub.publish import cuts, periods
from hub.publish.cuts import moment_of
from hub.publish.publishing import (
    DeliveryReport,
    PublishOptions,
    PublishReport,
    check_destination,
    current,
    deliver_current,
    publish,
    retire,
    retired,
    shown,
)

__all__ = [
    "DeliveryReport",
    "PublishOptions",
    "PublishReport",
    "check_destination",
    "current",
    "cuts",
    "deliver_current",
    "moment_of",
    "periods",
    "publish",
    "retire",
    "retired",
    "shown",
]
