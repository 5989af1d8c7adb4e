"""Reading, writing, reordering and describing TF Lite files. `keras_segformer.runtime` runs them."""
