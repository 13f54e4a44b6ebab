"""The dashboard: one page over the JSON API, with everything that it needs."""
