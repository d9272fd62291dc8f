"""Mappings that come with pm-hub; beside each a sample as its tool documents it, and what must become of it."""
