"""Run a TF Lite file on the GPU, wholly or not at all: python gpu.py FILE IMAGES.npy OUTPUTS.npy"""

import sys

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from ai_edge_litert.options import GpuOptions, Options

file, images, outputs = sys.argv[1:]
# Without the CPU beside it: the delegate then fails for a file of which it takes only a part. And in float32: the
# software device has no float16.
options = Options(hardware_accelerators=HardwareAccelerator.GPU, gpu_options=GpuOptions(enforce_f32=True))
model = CompiledModel.from_file(file, options=options)
if not model.is_fully_accelerated():
    sys.exit("A part of the file is left to the CPU.")
[signature] = model.get_signature_list()
[source] = model.get_input_tensor_details(signature).values()
[result] = model.get_output_tensor_details(signature).values()
inputs, found = model.create_input_buffers(0), model.create_output_buffers(0)
maps = []
for image in np.load(images):
    inputs[0].write(image[None].astype(source["dtype"]))
    model.run_by_index(0, inputs, found)
    maps.append(found[0].read(int(np.prod(result["shape"])), np.dtype(result["dtype"])).reshape(result["shape"]))
np.save(outputs, np.concatenate(maps))
