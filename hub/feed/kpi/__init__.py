"""The KPIs: their catalogue, their values on any feed, the table and the measures made of them, the rows behind one."""

from hub.feed.kpi.catalogue import Kpi, catalogue, prepare, register
from hub.feed.kpi.evaluate import evaluate, generate_days, open_folder
from hub.feed.kpi.explain import receipts

__all__ = ["Kpi", "catalogue", "evaluate", "generate_days", "open_folder", "prepare", "receipts", "register"]
