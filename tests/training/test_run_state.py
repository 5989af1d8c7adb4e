"""What a checkpoint holds is what a resumed run begins with."""

from __future__ import annotations

import keras
import numpy as np

from comparison import numpy
from keras_segformer import SegFormer
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.run_state import RunState
from tiny import light_segmenter


def build() -> SegFormer:
    model = light_segmenter(drop_path_rate=0.1)
    model.compile(GroupedAdamW(1e-3, use_ema=True), metrics=[], run_eagerly=True)
    return model


def test_everything_that_changes_is_restored(tmp_path):
    generator = np.random.default_rng(0)
    images, masks = generator.integers(0, 256, (2, 32, 32, 3)), generator.integers(0, 5, (2, 32, 32))
    trained = build()
    trained.fit(images, masks, epochs=2, verbose=0)
    RunState(tmp_path).save(trained, {"val_mean_iou": 0.5})

    keras.utils.set_random_seed(1)
    fresh = build()
    RunState.read(tmp_path).restore(fresh)

    pairs = zip(
        (*trained.variables, *trained.optimizer.variables), (*fresh.variables, *fresh.optimizer.variables), strict=True
    )
    compared = {one.path: np.array_equal(numpy(one), numpy(other)) for one, other in pairs}
    assert all(compared.values()), compared
    assert sum("seed_generator" in path for path in compared) > 1  # dropout and stochastic depth
