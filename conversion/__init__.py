"""TF Lite conversion (imported as keras_segformer.conversion)."""
