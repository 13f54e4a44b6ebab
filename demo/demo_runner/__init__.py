"""What `run.py` does: serve the demo site, visit it, show it, and judge what was seen."""
