"""Files for servers and other stacks: ONNX and SavedModel."""
