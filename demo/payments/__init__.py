"""Organisations, their deals, and the payments received for them."""
