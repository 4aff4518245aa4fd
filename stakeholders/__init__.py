"""Institutions, people and their roles."""
