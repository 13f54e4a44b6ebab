"""The demo's Django project: a small site that receives payments."""
