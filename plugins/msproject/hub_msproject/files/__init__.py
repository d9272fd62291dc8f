"""Schedule files of Microsoft Project and Primavera: readers, one neutral shape, and what its rows become."""
