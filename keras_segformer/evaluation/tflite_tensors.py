"""Which inputs and outputs a TF Lite file has to have to be read as a segmentation network."""

from __future__ import annotations

from keras_segformer.runtime import TensorDetails

_IMAGE_TYPES = ("float32", "uint8", "int8")
_LABEL_TYPES = ("int32", "int64")


def check_tensors(
    inputs: tuple[TensorDetails, ...], outputs: tuple[TensorDetails, ...], name: str, takes_batches: bool = False
) -> bool:
    """Refuses a file that does not take pictures, or does not give logits or labels.

    Args:
        inputs: The inputs of the file.
        outputs: Its outputs.
        name: What messages call it, such as its path.
        takes_batches: Whether it may take several pictures at once.

    Returns:
        Whether its output is labels rather than logits.

    Raises:
        ValueError: It has several inputs or outputs, or one of another shape or type.

    Example:

    >>> fields = {"shape_signature": (1, 64, 64, 3), "scale": 0.0, "zero_point": 0}
    >>> pictures = TensorDetails(name="images", shape=(1, 64, 64, 3), dtype="uint8", **fields)
    >>> labels = TensorDetails(name="labels", shape=(1, 16, 16), dtype="int32", **fields)
    >>> check_tensors((pictures,), (labels,), "b0.tflite")
    True
    """
    for tensors, what in ((inputs, "input"), (outputs, "output")):
        if len(tensors) != 1:
            raise ValueError(f"'{name}' has {len(tensors)} {what}s; convert the model with one.")
    _check_input(inputs[0], name, takes_batches)
    return _gives_labels(outputs[0], name)


def _check_input(details: TensorDetails, name: str, takes_batches: bool) -> None:
    shape = details.shape
    if len(shape) != 4 or shape[3] != 3 or min(shape[1:3]) <= 1 or (shape[0] != 1 and not takes_batches):
        raise ValueError(
            f"The input of '{name}' has the shape {_text(details.shape_signature)}; convert the model for "
            "one picture of a fixed size, (1, height, width, 3)."
        )
    if details.dtype not in _IMAGE_TYPES:
        raise ValueError(
            f"The input of '{name}' is {details.dtype}; convert the model with float32, uint8 or int8 pixels."
        )


def _gives_labels(details: TensorDetails, name: str) -> bool:
    shape, dtype = details.shape, details.dtype
    if dtype in _LABEL_TYPES and (len(shape) == 3 or (len(shape) == 4 and shape[3] == 1)):
        return True
    if dtype in _IMAGE_TYPES and len(shape) == 4:
        return False
    raise ValueError(
        f"The output of '{name}' is {dtype} {_text(shape)}; convert the model with logits "
        "(1, height, width, classes), float32, uint8 or int8, or with labels (1, height, width), int32 or int64."
    )


def _text(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
