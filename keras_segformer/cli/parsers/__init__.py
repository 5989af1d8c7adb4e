"""The arguments of the commands, a module each. None imports Keras or TensorFlow: help and completion come at once."""
