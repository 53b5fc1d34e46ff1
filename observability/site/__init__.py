"""The data docs: a static site about every dataset, run and incident. `render_site` is all that others need."""

from observability.site.render import render_site

__all__ = ["render_site"]
