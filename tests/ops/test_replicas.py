"""Reductions over the replicas of `tf.distribute`, and over one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.ops import global_mean, global_sum, num_replicas

X = np.arange(24, dtype="float32").reshape(4, 2, 3)


@pytest.mark.backend
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_a_single_replica_sees_the_global_batch(axis):
    assert num_replicas() == 1
    np.testing.assert_allclose(keras.ops.convert_to_numpy(global_mean(X, axis)), X.mean(axis))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(global_sum(X, axis)), X.sum(axis))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX has no strategies")
def test_under_a_strategy():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        assert num_replicas() == 1
        assert float(global_mean(X)) == X.mean()  # outside of `run`
    assert float(strategy.run(global_sum, (tf.constant(X),))) == X.sum()
