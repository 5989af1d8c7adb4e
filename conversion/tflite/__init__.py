"""TF Lite files: read, written, reordered, described, and run."""
