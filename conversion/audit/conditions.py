"""Conditions on operations, in the notation of this package's data files."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from ..tflite.reader import Node, Tensor

Condition = Mapping[str, Any]
"""Requirements that all have to hold: `{"rank": 4, "input_type": ["FLOAT32", "INT8"], "version": {"above": 2}}`."""

Found = TypeVar("Found")
_BOUNDS = {"above": operator.gt, "at_least": operator.ge, "below": operator.lt}


def once_per_node(find: Callable[[Node], Found]) -> Callable[[Node], Found]:
    """Make a function remember its results, because every target asks the same of an operation.

    Args:
        find: A function of an operation.

    Returns:
        The same function, which calls `find` only once for an operation.
    """
    known: weakref.WeakKeyDictionary[Node, Found] = weakref.WeakKeyDictionary()

    @functools.wraps(find)
    def recall(node: Node) -> Found:
        if node not in known:
            known[node] = find(node)
        return known[node]

    return recall


@once_per_node
def facts(node: Node) -> dict[str, Any]:
    """Collect the facts about an operation that conditions can refer to.

    Args:
        node: The operation.

    Returns:
        By name: the options of the operation under their names in the schema, and properties of its tensors. `None`
        for properties that it lacks, such as the type of a second input if there is only one. Options that the file
        leaves out are missing here; their default is 0.
    """
    inputs = [*node.inputs, None, None, None, None]
    first, second, third, fourth = inputs[:4]
    output, second_output = (*node.outputs, None, None)[:2]
    tensors = [each for each in (*node.inputs, *node.outputs) if each]
    types = [each and each.type for each in (first, second, output)]
    scales = [_scale(each) for each in (first, second, output)]
    ratios = [each / scales[2] for each in scales[:2] if each and scales[2]]
    return dict(node.options) | {
        "version": node.version,
        "inputs": len(node.inputs),
        "has_bias": third is not None,
        "has_fourth": fourth is not None,
        "input_type": types[0],
        "second_type": types[1],
        "third_type": third and third.type,
        "output_type": types[2],
        "second_output_type": second_output and second_output.type,
        "type": types[0] if types[0] == types[2] else "mixed",
        "operand_type": types[0] if types[0] == types[1] == types[2] else "mixed",
        "conversion": f"{types[0]} to {types[2]}",
        "rank": first and len(first.shape),
        "incomplete_vectors": bool(first and first.shape) and first.shape[-1] % 4 > 0,
        "output_rank": output and len(output.shape),
        "max_input_rank": max((len(each.shape) for each in node.inputs if each), default=None),
        "max_rank": max((len(each.shape) for each in tensors), default=None),
        "shortest_side": min(first.shape[1:]) if first and len(first.shape) == 4 else None,
        "height_factor": _height_factor(first, output),
        "rank_changes": bool(first and output) and len(first.shape) != len(output.shape),
        "broadcast": bool(first and second) and first.shape != second.shape,
        "dynamic": any(each.dynamic for each in tensors),
        "same_inputs": first is not None and first is second,
        "second_constant": bool(second) and second.constant,
        "others_constant": all(each.constant for each in node.inputs[1:] if each),
        "bias_constant": third is None or third.constant,
        "third_smallest": _extreme(third, np.min),
        "fourth_smallest": _extreme(fourth, np.min),
        "fourth_largest": _extreme(fourth, np.max),
        "grouped": bool(first and second and first.shape) and first.shape[-1:] != second.shape[-1:],
        "dilated": max(node.options.get("dilationWFactor", 1), node.options.get("dilationHFactor", 1)) > 1,
        "sparse_weights": bool(second) and second.sparse,
        "quantized": bool(first) and len(first.scales) > 0,
        "per_channel": any(len(each.scales) > 1 for each in tensors),
        "product_scale": scales[0] * scales[1] / scales[2] if all(scales) else None,
        "smallest_scale": min(ratios, default=None),
        "largest_scale": max(ratios, default=None),
        "requantized": not _same_quantization(first, output),
        "zero_point": int(first.zero_points[0]) if first and len(first.zero_points) else None,
    }


def holds(condition: Condition, known: Mapping[str, Any]) -> bool:
    """Test a condition.

    Args:
        condition: By fact the required value; a list of allowed values; or bounds, `{"above": …}`,
            `{"at_least": …}`, `{"below": …}`, which `None` never satisfies.
        known: The result of `facts`.

    Returns:
        Whether the condition holds.

    Example:

    >>> holds({"rank": {"above": 4}}, {"rank": 5}), holds({"input_type": ["INT8", "INT16"]}, {"input_type": "FLOAT32"})
    (True, False)
    """
    return all(_fits(expected, known.get(name, 0)) for name, expected in condition.items())


def _fits(expected: Any, value: Any) -> bool:
    if isinstance(expected, dict):  # not `Mapping`, whose test is slow
        if value is None:
            return False
        return all(_BOUNDS[bound](value, limit) for bound, limit in expected.items())
    return value in expected if isinstance(expected, list) else value == expected


def _height_factor(first: Tensor | None, output: Tensor | None) -> float | None:
    """By how much a feature map `(1, H, W, C)` becomes higher."""
    if not (first and output and len(first.shape) == len(output.shape) == 4 and first.shape[1]):
        return None
    return output.shape[1] / first.shape[1]


def _scale(tensor: Tensor | None) -> np.float32 | None:
    return tensor.scales[0] if tensor and len(tensor.scales) else None


def _extreme(tensor: Tensor | None, function: Callable[[np.ndarray], Any]) -> int | None:
    return int(function(tensor.integers)) if tensor and tensor.integers.size else None


def _same_quantization(first: Tensor | None, second: Tensor | None) -> bool:
    return (
        first is None
        or second is None
        or (np.array_equal(first.scales, second.scales) and np.array_equal(first.zero_points, second.zero_points))
    )
