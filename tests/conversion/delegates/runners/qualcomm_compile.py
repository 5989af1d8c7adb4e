"""Compile a TF Lite file for Qualcomm NPUs: python qualcomm_compile.py FILE FOLDER CHIP...

Prints, for every chip, the compiled file and how many operations lie in how many partitions, as JSON.
"""

import json
import sys

from ai_edge_litert.aot import aot_compile
from ai_edge_litert.aot.vendors.qualcomm import target

file, folder, *chips = sys.argv[1:]
found = {}
for chip in chips:
    result = aot_compile.aot_compile(
        file, output_dir=f"{folder}/{chip}", target=target.Target(target.SocModel[chip]), keep_going=False
    )
    [model] = result.models
    [graph] = model.partition_stats.subgraph_stats
    found[chip] = {
        "file": str(model.path),
        "operations": graph.num_total_ops,
        "taken": graph.num_ops_offloaded,
        "partitions": graph.num_partitions_offloaded,
    }
print(json.dumps(found))
