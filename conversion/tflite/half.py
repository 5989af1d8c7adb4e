"""The hint that a file may be computed in float16, for CPUs that have such arithmetic.

Source: reduced_precision_support.h of TensorFlow Lite, and the XNNPACK delegate, which computes the float operations of
such a file in float16 on ARM CPUs since ARMv8.2, hence in most phones since 2018; elsewhere it ignores the hint.
"""

from __future__ import annotations

from .writer import pack, set_metadata, unpack

# The delegate wants both: values in float16, and sums as well.
_ENTRY, _VALUE = b"reduced_precision_support", b"fp16accfp16"


def with_half_hint(content: bytes) -> bytes:
    """Add the hint to a file.

    Args:
        content: The file, without anything behind the flatbuffer.

    Returns:
        The file.
    """
    model = unpack(content)
    set_metadata(model, _ENTRY, _VALUE)
    return pack(model)
