"""Imports what labelling tools export: one module per format, and what they share."""
