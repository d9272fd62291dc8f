-- Grain: one cut before the day of the feed, the last first, those of a committee before others of their day.
SELECT cut_key, as_of FROM dim_cut WHERE cut_key <> 0 AND as_of < $day ORDER BY as_of DESC, kind <> 'copil', cut_key
