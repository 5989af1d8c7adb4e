"""Padded classes are never predicted."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion import convert
from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.graph.pad_classes import pad_classes
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config


@pytest.mark.parametrize(("classes", "padded"), [(1, 1), (2, 4), (4, 4), (11, 12), (19, 20), (150, 152)])
def test_multiple_of_four(classes, padded):
    network = read_network(SegFormerNetwork(tiny_config(num_classes=classes)))
    found = pad_classes(network).decoder.classifier
    assert found.bias.shape == (padded,)
    x = np.random.default_rng(0).normal(size=(50, len(found.kernel)))
    logits = x @ found.kernel + found.bias
    assert (logits.argmax(-1) < classes).all()
    np.testing.assert_array_equal(logits[:, :classes].argmax(-1), logits.argmax(-1))


@pytest.mark.parametrize("output", ["labels", "labels_full", "logits"])
def test_only_labels_are_padded(tiny, output, tmp_path):
    facts = convert(tiny, tmp_path / "m.tflite", input_size=(64, 64), output=output, report=False)
    content = (tmp_path / "m.tflite").read_bytes()
    [last] = {node.outputs[0].shape[-1] for node in read_tflite(content).nodes if node.name == "CONV_2D"} & {5, 8}
    assert last == (5 if output == "logits" else 8)
    assert facts["output"]["shape"][3:] == ([5] if output == "logits" else [])


def test_audit_reports_files_without_padding(tiny):
    network = read_network(tiny)
    reasons = []
    for each in (pad_classes(network), network):
        content = export(trace_network(each, (64, 64), output="labels").function, "float32")
        [verdict] = audit(content, ["gpu"]).verdicts
        reasons.append([(finding.operator, finding.reason) for finding in verdict.findings])
    padded, unpadded = reasons
    assert not any(operator == "ARG_MAX" for operator, _ in padded)
    assert [each for each in unpadded if each not in padded] == [
        ("ARG_MAX", "wrong where all are negative, unless there is a multiple of 4")
    ]
