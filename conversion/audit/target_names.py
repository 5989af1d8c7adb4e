"""The names of the targets that an audit checks, in a module that imports nothing heavy."""

from __future__ import annotations

import re

NNAPI_LEVELS = range(3, 9)

TARGETS = (
    *("runtime:2.14", "runtime:2.16", "litert", "xnnpack", "gpu", "qualcomm-htp"),
    *(f"nnapi:{level}" for level in NNAPI_LEVELS),
    *("tflite-micro", "ethos-u"),
)
"""The targets of a report: tflite-runtime 2.14 of PyPI, TF Lite 2.16 of Maven Central, LiteRT, the delegates, and what
microcontrollers have: TF Lite Micro and the NPU Ethos-U."""


def check_target(target: str) -> None:
    """Refuse unknown targets.

    Args:
        target: `"litert"`, `"xnnpack"`, `"gpu"`, `"qualcomm-htp"`, `"tflite-micro"`, `"ethos-u"`, `"nnapi:"` with a
            feature level, or `"runtime:"` with a version of TF Lite.

    Raises:
        ValueError: There is no such target.
    """
    levels = f"[{NNAPI_LEVELS[0]}-{NNAPI_LEVELS[-1]}]"
    names = rf"litert|xnnpack|gpu|qualcomm-htp|tflite-micro|ethos-u|nnapi:{levels}|runtime:[0-9]+(\.[0-9]+){{0,2}}"
    if re.fullmatch(names, target) is None:
        raise ValueError(
            f"There is no target {target!r}; choose litert, xnnpack, gpu, qualcomm-htp, tflite-micro, ethos-u, "
            f"nnapi:LEVEL with a level of {NNAPI_LEVELS[0]} to {NNAPI_LEVELS[-1]}, or runtime:VERSION such as "
            "runtime:2.14."
        )
