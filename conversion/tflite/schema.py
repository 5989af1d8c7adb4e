"""The classes of the TF Lite schema, without importing TensorFlow.

LiteRT and TensorFlow both ship the module that flatc generates from the schema. TensorFlow's lies in a package that
takes seconds to import, so it is loaded by its path, which makes this the one file that knows where TensorFlow keeps
it. LiteRT's is preferred because it is newer.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_TENSORFLOW_PATH = "lite/python/schema_py_generated.py"


def _load() -> ModuleType:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        return _load_from_tensorflow()
    return schema_py_generated


def _load_from_tensorflow() -> ModuleType:
    package = importlib.util.find_spec("tensorflow")
    if package is None or package.origin is None:
        raise ImportError(
            "The TF Lite schema is missing; run `pip install ai-edge-litert` or `pip install tensorflow`."
        )
    name = f"{__name__}_of_tensorflow"
    spec = importlib.util.spec_from_file_location(name, Path(package.origin).parent / _TENSORFLOW_PATH)
    if spec is None or spec.loader is None:
        raise ImportError("The installed TensorFlow has no TF Lite schema; run `pip install ai-edge-litert`.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


schema = _load()
