"""When a project will land and for how much, as chances, with the record of earlier forecasts beside them.

Pure numpy: what is asked of the feed stands in `reading`, what is written of it in `filling`.
"""
