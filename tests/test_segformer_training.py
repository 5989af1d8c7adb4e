"""`SegFormer.compile()` and `fit`, as users call them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer import SegFormer
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from tiny import light_segmenter, tiny_config


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
    model = light_segmenter()
    model.compile()
    dataset = tf.data.Dataset.from_tensor_slices(examples()).batch(3)
    history = model.fit(dataset, epochs=30, validation_data=dataset, validation_freq=15, verbose=0).history
    assert {"loss", "mean_iou", "pixel_accuracy", "val_mean_iou"} <= history.keys()
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    # The schedule ends where the run does.
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces of TensorFlow's")
@pytest.mark.usefixtures("without_xla")
def test_the_step_is_traced_once():
    traces = []

    class CountingLoss(SegmentationLoss):
        def call(self, y_true, y_pred):
            traces.append(y_pred.shape)
            return super().call(y_true, y_pred)

    model = light_segmenter()
    model.compile(loss=CountingLoss())
    images, masks = examples()
    model.fit(images, masks, batch_size=3, verbose=0)
    assert len(traces) == 1


@pytest.mark.usefixtures("without_xla")
class TestSchedule:
    def test_length_is_that_of_the_run(self):
        model = light_segmenter()
        model.compile(metrics=[])
        images, masks = examples()
        model.fit(images, masks, batch_size=4, epochs=10, verbose=0)
        schedule = model._default_schedule
        assert (schedule.first_step, schedule.total_steps, schedule.warmup_steps) == (0, 20, 2)
        model.fit(images, masks, batch_size=6, epochs=4, verbose=0)
        schedule = model._default_schedule
        assert (schedule.first_step, schedule.total_steps) == (20, 4)
        assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)

    def test_an_own_optimizer_is_left_alone(self):
        model = light_segmenter()
        model.compile(keras.optimizers.SGD(0.125), metrics=[], run_eagerly=True)
        images, masks = examples()
        model.fit(images, masks, batch_size=6, verbose=0)
        assert float(model.optimizer.learning_rate) == 0.125
        assert isinstance(model.loss, SegmentationLoss)

    def test_of_endless_data_is_constant_after_the_warm_up(self):
        model = light_segmenter()
        model.compile(metrics=[], run_eagerly=True)
        dataset = tf.data.Dataset.from_tensor_slices(examples()).batch(2).repeat()
        with pytest.raises(_StoppedError), pytest.warns(UserWarning, match="number of steps is unknown"):
            model.fit(dataset, callbacks=[_StopAtOnce()], verbose=0)
        assert float(model._default_schedule(1_500)) == float(model._default_schedule(10**6)) == pytest.approx(6e-5)

    def test_a_rate_of_ones_own_is_constant(self):
        model = light_segmenter()
        model.compile(learning_rate=1e-3)
        assert model._default_schedule is None
        assert isinstance(model.optimizer, GroupedAdamW)
        assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
        with pytest.raises(ValueError, match="`learning_rate` is for the default optimizer"):
            model.compile("sgd", learning_rate=1e-3)


@pytest.mark.usefixtures("without_xla")
def test_metrics_ignore_what_the_loss_ignores():
    ignored = 11
    model = light_segmenter()
    model.compile(loss=SegmentationLoss(ignore_class=ignored), run_eagerly=True)
    images, masks = examples(2)
    masks = np.where(masks == 255, ignored, masks).astype("uint8")
    history = model.fit(images, masks, verbose=0).history
    assert np.isfinite(history["loss"]).all()

    scores = model.evaluate(images, masks, return_dict=True, verbose=0)
    shown = masks != ignored
    guesses = keras.ops.convert_to_numpy(keras.ops.argmax(model.predict(images, verbose=0), -1))
    assert scores["pixel_accuracy"] == pytest.approx(np.mean(guesses[shown] == masks[shown]), abs=1e-6)


class _StoppedError(Exception):
    """Raised by the callback below."""


class _StopAtOnce(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise _StoppedError


@pytest.mark.usefixtures("without_xla")
def test_a_compiled_model_is_saved_with_its_training(tmp_path):
    model = light_segmenter()
    model.compile(run_eagerly=True)
    images, masks = examples()
    model.fit(images, masks, batch_size=6, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, GroupedAdamW)
    assert int(loaded.optimizer.iterations) == 1
    assert loaded.evaluate(images, masks, verbose=0) == pytest.approx(model.evaluate(images, masks, verbose=0))


@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize(("num_classes", "classes"), [(3, 3), (1, 2)])
def test_fine_tuning_to_other_classes(tmp_path, num_classes, classes):
    light_segmenter().save_to_preset(tmp_path / "preset")
    images, masks = examples(classes=classes)

    model = SegFormer.from_preset(tmp_path / "preset", num_classes=num_classes)
    model.compile(run_eagerly=True)
    model.fit(images, masks, epochs=1, verbose=0)
    model.save_to_preset(tmp_path / "tuned")
    labels = SegFormer.from_preset(tmp_path / "tuned").segment(images[0])

    assert labels.shape == (64, 64)
    assert labels.max() < classes


# Losses of float16 are scaled, which graphs do by a condition.
@pytest.mark.parametrize(
    ("make", "dtype", "run_eagerly"),
    [
        (light_segmenter, "mixed_float16", False),
        (lambda dtype: SegFormer(tiny_config(), dtype=dtype), "mixed_bfloat16", True),
    ],
)
def test_mixed_precision(make, dtype, run_eagerly):
    model = make(dtype=dtype)
    model.compile(metrics=[], run_eagerly=run_eagerly)
    images, masks = examples()
    assert np.isfinite(model.fit(images, masks, verbose=0).history["loss"]).all()


@pytest.mark.parametrize(
    ("ours", "theirs"), [(SegFormer.fit, keras.Model.fit), (SegFormer.compile, keras.Model.compile)]
)
def test_arguments_are_those_of_keras(ours, theirs):
    names = list(inspect.signature(theirs).parameters)
    assert list(inspect.signature(ours).parameters)[: len(names)] == names


class Batches(keras.utils.PyDataset):
    """Pictures, masks with a channel, and a weight for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.images, self.masks = examples()

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        part = slice(3 * index, 3 * index + 3)
        return self.images[part], self.masks[part, :, :, None], np.float32([1.0, 0.5, 0.0])


@pytest.mark.backend
@pytest.mark.usefixtures("without_xla")
def test_callbacks_and_weights_of_keras(tmp_path):
    model = light_segmenter()
    model.compile(learning_rate=1e-3)
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 * (epoch + 1)),
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0),
        keras.callbacks.EarlyStopping("val_mean_iou", patience=5),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "val_pixel_accuracy", save_best_only=True),
    ]
    images, masks = examples(2)
    history = model.fit(Batches(), None, None, 2, 0, callbacks, validation_data=(images, masks[..., None])).history
    assert np.isfinite(history["loss"]).all()
    # The plateau begins with the second epoch, whose rate is 2e-3.
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert (tmp_path / "best.keras").exists()
    assert callbacks[2].best == max(history["val_mean_iou"])


@pytest.mark.usefixtures("without_xla")
def test_a_loader_of_pytorch():
    data = pytest.importorskip("torch.utils.data")
    model = light_segmenter()
    model.compile(metrics=[], run_eagerly=True)
    loader = data.DataLoader(list(zip(*examples(), strict=True)), batch_size=2)
    model.fit(loader, epochs=2, verbose=0)
    assert model._default_schedule.total_steps == 6


def test_wrong_masks_are_refused_before_the_first_step():
    model = light_segmenter()
    model.compile()
    images, masks = examples()
    wrong = np.where(masks == 4, 5, masks)
    for arguments in (
        {"x": images, "y": wrong},
        {"x": images, "y": masks, "validation_data": (images, wrong)},
        {"x": images, "y": masks, "validation_data": tf.data.Dataset.from_tensor_slices((images, wrong)).batch(2)},
    ):
        with pytest.raises(ValueError, match="masks hold values from 0 to 5, but the classes are 0 to 4"):
            model.fit(**arguments)
    with pytest.raises(ValueError, match="masks hold values from 0 to 5"):
        model.evaluate(images, wrong)
    with pytest.raises(ValueError, match=r"`validation_data` has 1 part\(s\)"):
        model.fit(images, masks, validation_data=(images,))
    with pytest.raises(ValueError, match="one label per example"):
        model.fit(images, masks, class_weight={0: 2.0})
    with pytest.raises(ValueError, match=r"model.compile\(learning_rate=6e-5\)"):
        model.fit(images, masks, callbacks=[keras.callbacks.ReduceLROnPlateau()])
    assert int(model.optimizer.iterations) == 0


def run(code: str, *arguments: str | Path) -> None:
    """A script in a process of its own."""
    script = "import sys; sys.path.insert(0, sys.argv[1])\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", script, str(Path(__file__).parent), *map(str, arguments)]
    subprocess.run(command, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"})


@pytest.mark.backend
def test_training_goes_on_in_another_process(tmp_path):
    keras.utils.set_random_seed(0)
    model = light_segmenter(decoder_dropout=0.0)
    model.backbone.trainable = False
    # Without tracing a few steps are faster, but JAX would compile every operation of them on its own.
    model.compile(metrics=[], run_eagerly=keras.backend.backend() == "tensorflow")
    images, masks = examples()
    model.fit(images, masks, batch_size=3, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", images=images, masks=masks)
    code = """
        from pathlib import Path
        import keras, numpy as np
        import keras_segformer
        folder = Path(sys.argv[2])
        model = keras.saving.load_model(folder / "model.keras")
        data = np.load(folder / "data.npz")
        assert not model.backbone.trainable
        assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 2
        model.fit(data["images"], data["masks"], batch_size=3, shuffle=False, verbose=0)
        np.savez(folder / "weights.npz", *model.get_weights())
    """
    run(code, tmp_path)
    frozen = model.backbone.get_weights()
    model.fit(images, masks, batch_size=3, shuffle=False, verbose=0)
    for before, after in zip(frozen, model.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    loaded = np.load(tmp_path / "weights.npz")
    for name, ours in zip(loaded.files, model.get_weights(), strict=True):
        np.testing.assert_allclose(loaded[name], ours, rtol=1e-6, atol=1e-7)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="strategies are TensorFlow's")
class TestPlainKerasCodeInAStrategy:
    def test_of_one_device(self):
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            assert np.isfinite(fit_twice()["loss"]).all()

    @pytest.mark.slow
    def test_of_two_devices(self):
        """In a process of its own, since logical devices must be made before TensorFlow starts."""
        code = """
            import numpy as np, tensorflow as tf
            from test_segformer_training import fit_twice
            cpu = tf.config.list_physical_devices("CPU")[0]
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
            with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
                together = fit_twice()
            for name, values in fit_twice().items():
                np.testing.assert_allclose(together[name], values, rtol=1e-3)
            assert np.isfinite(together["loss"]).all()
        """
        run(code)


def fit_twice() -> dict[str, list[float]]:
    """The figures of the second of two calls of `fit`, which begins at another step."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 32, 32, 3)).astype("uint8")
    masks = rng.integers(0, 5, (8, 32, 32)).astype("uint8")
    keras.utils.set_random_seed(0)
    model = light_segmenter(decoder_dropout=0.0)
    model.compile()
    for _ in range(2):
        history = model.fit(images, masks, batch_size=4, shuffle=False, verbose=0).history
    assert model._default_schedule.first_step == 2
    return history


@pytest.mark.usefixtures("without_xla")
def test_a_compiled_model_is_cloned():
    model = light_segmenter()
    model.compile(run_eagerly=True)
    images, masks = examples(2)
    model.fit(images, masks, verbose=0)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(images, verbose=0), model.predict(images, verbose=0))
    assert clone.evaluate(images, masks, verbose=0) == pytest.approx(model.evaluate(images, masks, verbose=0))


@pytest.mark.usefixtures("without_xla")
def test_the_schedule_follows_fit_after_loading(tmp_path):
    model = light_segmenter()
    model.compile(run_eagerly=True)
    images, masks = examples(4)
    model.fit(images, masks, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.fit(images, masks, batch_size=2, epochs=5, verbose=0)
    schedule = loaded._default_schedule
    assert (schedule.first_step, schedule.total_steps) == (1, 10)
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


@pytest.mark.usefixtures("without_xla")
def test_layers_that_were_frozen_need_compile():
    model = light_segmenter()
    model.backbone.trainable = False
    model.compile(run_eagerly=True)
    images, masks = examples(2)
    model.fit(images, masks, verbose=0)
    before = keras.ops.convert_to_numpy(model.backbone.weights[0])
    model.backbone.trainable = True
    with pytest.raises(ValueError, match=r"8 variables were not trainable .*; call `compile` again"):
        model.fit(images, masks, verbose=0)
    model.compile(run_eagerly=True)
    model.fit(images, masks, verbose=0)
    assert np.abs(keras.ops.convert_to_numpy(model.backbone.weights[0]) - before).max() > 0


def test_losses_of_probabilities_are_refused():
    with pytest.raises(ValueError, match="from_logits=True"):
        light_segmenter().compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="sparse_y_pred=False"):
        light_segmenter().compile(weighted_metrics=[keras.metrics.MeanIoU(5)])


def test_predict_warns_of_another_scale():
    with pytest.warns(UserWarning, match=r"scale 0\.\.255, but have values from 0 to 1"):
        light_segmenter().predict(np.resize(np.float32([0, 1]), (1, 32, 32, 3)), verbose=0)


def test_class_weights_of_a_step_are_refused():
    model = light_segmenter()
    model.compile()
    images, masks = examples(1)
    with pytest.raises(ValueError, match="`class_weight` is for one label per example"):
        model.train_on_batch(images, masks, class_weight={0: 2.0})


@pytest.mark.usefixtures("without_xla")
def test_weights_of_float16_are_not_trained_to_nan():
    model = light_segmenter(dtype="float16")
    model.compile()
    images, masks = examples(1)
    with pytest.raises(ValueError, match=r"divides by 0, .* dtype='mixed_float16'"):
        model.fit(images, masks, verbose=0)
    assert np.isfinite(model.evaluate(images, masks, verbose=0)).all()
