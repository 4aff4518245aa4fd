"""Demonstration data: believable, deterministic, and invented throughout. `manage.py seed_demo` makes it."""
