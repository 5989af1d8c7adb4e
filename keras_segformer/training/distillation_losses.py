"""How far the logits of a student are from those of its teacher."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_segformer.ops import global_sum

_NOWHERE = -1e9
"""A logit whose probability is 0."""


def pixel_distillation(teacher: Any, student: Any, weights: Any, temperature: float = 1.0) -> Any:
    """Compares the distributions over the classes at every position: `T² Σ_c p_c (log p_c - log q_c)`.

    `p` is the softmax of the teacher's logits divided by the temperature `T`, `q` that of the student's. The factor
    `T²` keeps the gradient of the same size whatever the temperature.

    Args:
        teacher: Logits `(B, h, w, C)`, float32.
        student: Logits `(B, h, w, C)`, float32.
        weights: How much every position counts, `(B, h, w)`, float32, not negative.
        temperature: `T`; above 1 the unlikely classes count more.

    Returns:
        The mean over the positions of the global batch, a scalar; 0 where no position counts. Among several replicas
        each returns its own part of it.

    Source: Hinton et al. 2015 (arXiv 1503.02531), section 2.

    Example:

    >>> logits = ops.array([[[[2.0, 0.0, 1.0]]]])
    >>> float(pixel_distillation(logits, logits + 5, ops.ones((1, 1, 1))))
    0.0
    """
    divergence = _divergence(teacher, student, temperature, axis=-1)  # (B, h, w)
    return ops.sum(weights * divergence) * ops.divide_no_nan(1.0, global_sum(weights))


def channel_distillation(teacher: Any, student: Any, weights: Any, temperature: float = 4.0) -> Any:
    """Compares where every class is seen: `T² / C Σ_c Σ_i p_ci (log p_ci - log q_ci)`.

    `p_c` is the softmax of the teacher's logits of class `c` over the positions `i` of a picture. It says where the
    class is most likely, however much of the picture it covers, so that small classes count as much as large ones.

    Args:
        teacher: Logits `(B, h, w, C)`, float32.
        student: Logits `(B, h, w, C)`, float32.
        weights: How much every position counts, `(B, h, w)`, float32; those of at most 0.5 are left out.
        temperature: `T`; above 1 more positions count.

    Returns:
        The mean over the pictures of the global batch, a scalar; 0 where no position counts. Among several replicas
        each returns its own part of it.

    Source: Shu et al. 2021 (CWD, arXiv 2011.13256), equations 4 and 5.

    Example:

    >>> logits = ops.array([[[[2.0, 0.0], [1.0, 3.0]]]])
    >>> float(channel_distillation(logits, logits + 5, ops.ones((1, 1, 2))))
    0.0
    """
    counts = weights > 0.5  # (B, h, w)
    size = (ops.shape(teacher)[0], -1, teacher.shape[-1])
    teacher, student = (
        ops.reshape(ops.where(counts[..., None], logits, _NOWHERE), size)  # (B, h * w, C)
        for logits in (teacher, student)
    )
    divergence = ops.mean(_divergence(teacher, student, temperature, axis=1), axis=-1)  # (B,)
    labelled = ops.cast(ops.any(counts, axis=(1, 2)), "float32")
    return ops.sum(labelled * divergence) * ops.divide_no_nan(1.0, global_sum(labelled))


def _divergence(teacher: Any, student: Any, temperature: float, axis: int) -> Any:
    """`T²` times the Kullback-Leibler divergence of two softmaxes along an axis."""
    wanted = ops.log_softmax(teacher / temperature, axis=axis)
    found = ops.log_softmax(student / temperature, axis=axis)
    return temperature**2 * ops.sum(ops.exp(wanted) * (wanted - found), axis=axis)
