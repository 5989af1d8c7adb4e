"""`SegFormer.compile()` and `fit`, as users call them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer import SegFormer
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from tiny import tiny_config


def examples(count: int = 6, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Pictures whose brightness tells the class, some pixels of them ignored."""
    rng = np.random.default_rng(0)
    masks = rng.integers(0, classes, (count, 4, 4)).repeat(16, axis=1).repeat(16, axis=2).astype(np.uint8)
    images = np.stack([masks * (250 // classes)] * 3, axis=-1).astype(np.uint8)
    masks[:, :4] = 255
    return images, masks


@pytest.mark.backend
def test_compile_and_fit_without_arguments():
    keras.utils.set_random_seed(0)
    model = SegFormer(tiny_config())
    model.compile()
    dataset = tf.data.Dataset.from_tensor_slices(examples()).batch(2)
    history = model.fit(dataset, epochs=2, validation_data=dataset, verbose=0).history
    assert {"loss", "mean_iou", "pixel_accuracy", "val_mean_iou"} <= history.keys()
    assert np.isfinite(history["loss"]).all()
    # The schedule ends where the run does.
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_defaults_learn():
    keras.utils.set_random_seed(0)
    model = SegFormer(tiny_config(drop_path_rate=0.0))
    model.compile(metrics=[])
    images, masks = examples()
    loss = model.fit(images, masks, batch_size=3, epochs=30, verbose=0).history["loss"]
    assert loss[-1] < 0.8 * loss[0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces of TensorFlow's")
def test_the_step_is_traced_once():
    traces = []

    class CountingLoss(SegmentationLoss):
        def call(self, y_true, y_pred):
            traces.append(y_pred.shape)
            return super().call(y_true, y_pred)

    model = SegFormer(tiny_config())
    model.compile(loss=CountingLoss())
    images, masks = examples()
    model.fit(images, masks, batch_size=3, verbose=0)
    assert len(traces) == 1


class TestSchedule:
    def test_length_is_that_of_the_run(self):
        model = SegFormer(tiny_config())
        model.compile(metrics=[])
        images, masks = examples()
        model.fit(images, masks, batch_size=4, epochs=10, verbose=0)
        schedule = model._default_schedule
        assert (schedule.first_step, schedule.total_steps, schedule.warmup_steps) == (0, 20, 2)

    @pytest.mark.slow
    def test_a_second_run_has_its_own(self):
        model = SegFormer(tiny_config())
        model.compile(metrics=[])
        images, masks = examples()
        model.fit(images, masks, batch_size=6, epochs=2, verbose=0)
        model.fit(images, masks, batch_size=6, epochs=4, verbose=0)
        schedule = model._default_schedule
        assert (schedule.first_step, schedule.total_steps) == (2, 4)
        assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)

    def test_an_own_optimizer_is_left_alone(self):
        model = SegFormer(tiny_config())
        model.compile(keras.optimizers.SGD(0.125), metrics=[])
        images, masks = examples()
        model.fit(images, masks, batch_size=6, verbose=0)
        assert float(model.optimizer.learning_rate) == 0.125
        assert isinstance(model.loss, SegmentationLoss)

    def test_of_endless_data_is_constant_after_the_warm_up(self):
        model = SegFormer(tiny_config())
        model.compile(metrics=[])
        dataset = tf.data.Dataset.from_tensor_slices(examples()).batch(2).repeat()
        with pytest.raises(_StoppedError), pytest.warns(UserWarning, match="number of steps is unknown"):
            model.fit(dataset, callbacks=[_StopAtOnce()], verbose=0)
        assert float(model._default_schedule(1_500)) == float(model._default_schedule(10**6)) == pytest.approx(6e-5)


class _StoppedError(Exception):
    """Raised by the callback below."""


class _StopAtOnce(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise _StoppedError


def test_a_compiled_model_is_saved_with_its_training(tmp_path):
    model = SegFormer(tiny_config())
    model.compile()
    images, masks = examples()
    model.fit(images, masks, batch_size=6, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, GroupedAdamW)
    assert int(loaded.optimizer.iterations) == 1
    assert loaded.evaluate(images, masks, verbose=0) == pytest.approx(model.evaluate(images, masks, verbose=0))


@pytest.mark.parametrize(("num_classes", "classes"), [(3, 3), (1, 2)])
def test_fine_tuning_to_other_classes(tmp_path, num_classes, classes):
    SegFormer(tiny_config()).save_to_preset(tmp_path / "preset")
    images, masks = examples(classes=classes)

    model = SegFormer.from_preset(tmp_path / "preset", num_classes=num_classes)
    model.compile()
    model.fit(images, masks, epochs=1, verbose=0)
    model.save_to_preset(tmp_path / "tuned")
    labels = SegFormer.from_preset(tmp_path / "tuned").segment(images[0])

    assert labels.shape == (64, 64)
    assert labels.max() < classes


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(dtype):
    model = SegFormer(tiny_config(), dtype=dtype)
    model.compile(metrics=[])
    images, masks = examples()
    assert np.isfinite(model.fit(images, masks, verbose=0).history["loss"]).all()
