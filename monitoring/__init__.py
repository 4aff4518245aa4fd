"""Dashboards and reports; reads all other apps, and nothing reads it."""
