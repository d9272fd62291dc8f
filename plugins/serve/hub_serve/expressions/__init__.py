"""The language of conditions that both services understand: text to a tree, and the tree to DuckDB's SQL."""

from hub_serve.expressions.functions import FUNCTIONS
from hub_serve.expressions.parsing import outside_quotes
from hub_serve.expressions.sql import Members, Scope, condition, expression
from hub_serve.expressions.typed import Typed
from hub_serve.expressions.values import Values

__all__ = ["FUNCTIONS", "Members", "Scope", "Typed", "Values", "condition", "expression", "outside_quotes"]
