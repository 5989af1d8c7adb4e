"""The network as arrays, and as TensorFlow functions that export cleanly."""
