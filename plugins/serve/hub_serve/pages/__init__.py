"""The pages: what a director, a project manager and a PMO look at in a browser."""

from hub_serve.pages.routing import Pages

__all__ = ["Pages"]
