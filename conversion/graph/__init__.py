"""The network as plain arrays, and as a TensorFlow function ready for export."""
