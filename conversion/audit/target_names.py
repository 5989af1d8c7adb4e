"""The targets that an audit judges files for, by name, in a module that imports nothing heavy."""

from __future__ import annotations

import re

NNAPI_LEVELS = range(3, 9)

TARGETS = (
    *("runtime:2.14", "runtime:2.16", "litert", "xnnpack", "gpu", "qualcomm-htp"),
    *(f"nnapi:{level}" for level in NNAPI_LEVELS),
)
"""The targets of a report: tflite-runtime 2.14 of PyPI, TF Lite 2.16 of Maven Central, LiteRT, and the delegates."""


def check_target(target: str) -> None:
    """Refuse what is no target.

    Args:
        target: `"litert"`, `"xnnpack"`, `"gpu"`, `"qualcomm-htp"`, `"nnapi:"` with a feature level, or `"runtime:"`
            with a version of TF Lite.

    Raises:
        ValueError: It is none of these.
    """
    levels = f"[{NNAPI_LEVELS[0]}-{NNAPI_LEVELS[-1]}]"
    if re.fullmatch(rf"litert|xnnpack|gpu|qualcomm-htp|nnapi:{levels}|runtime:[0-9]+(\.[0-9]+){{0,2}}", target) is None:
        raise ValueError(
            f"There is no target {target!r}; choose litert, xnnpack, gpu, qualcomm-htp, nnapi:LEVEL with a level of "
            f"{NNAPI_LEVELS[0]} to {NNAPI_LEVELS[-1]}, or runtime:VERSION such as runtime:2.14."
        )
