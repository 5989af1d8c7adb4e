"""Run a TF Lite file on the CPU, also where this package is not installed.

python interpreter.py FILE IMAGES.npy OUTPUTS.npy
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

file, images, outputs = sys.argv[1:]
interpreter = Interpreter(file, num_threads=1)
interpreter.allocate_tensors()
[source], [result] = interpreter.get_input_details(), interpreter.get_output_details()
maps = []
for image in np.load(images):
    interpreter.set_tensor(source["index"], image[None].astype(source["dtype"]))
    interpreter.invoke()
    maps.append(interpreter.get_tensor(result["index"]))
np.save(outputs, np.concatenate(maps))
