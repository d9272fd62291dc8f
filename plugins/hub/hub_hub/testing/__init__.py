"""What the source `hub` is examined with."""
