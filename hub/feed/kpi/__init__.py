"""The KPIs: their catalogue, values on any feed, table and measures, and the rows behind one."""

from hub.feed.kpi.catalogue import Kpi, catalogue, prepare, register
from hub.feed.kpi.evaluate import evaluate, generate_days, open_folder
from hub.feed.kpi.explain import receipt

__all__ = ["Kpi", "catalogue", "evaluate", "generate_days", "open_folder", "prepare", "receipt", "register"]
