"""Data sets: builders, checks, integer-safe augmentation and input pipelines."""
