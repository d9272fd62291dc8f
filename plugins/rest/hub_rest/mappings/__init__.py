"""Mappings that come with pm-hub.

Beside each a sample as its tool documents it, and what must become of it.
"""
