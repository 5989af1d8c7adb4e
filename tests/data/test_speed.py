"""Images per second of pipelines and models."""

from __future__ import annotations

import time

import keras
import tensorflow as tf

from keras_segformer.data.speed import pipeline_speed, training_speed


def test_a_pipeline_of_known_speed():
    def batches():
        while True:
            time.sleep(0.02)
            yield tf.zeros((4, 8, 8, 3), tf.uint8), tf.zeros((4, 8, 8), tf.uint8)

    signature = (tf.TensorSpec((4, 8, 8, 3), tf.uint8), tf.TensorSpec((4, 8, 8), tf.uint8))
    speed = pipeline_speed(tf.data.Dataset.from_generator(batches, output_signature=signature), batches=5)
    assert 20 < speed <= 4 / 0.02


def test_a_model_of_known_speed():
    class Slow(keras.Model):
        steps = 0

        def train_on_batch(self, *_: object) -> None:
            self.steps += 1
            # The first steps are compiled.
            time.sleep(0.2 if self.steps <= 2 else 0.02)

    speed = training_speed(Slow(), tf.zeros((4, 8, 8, 3), tf.uint8), tf.zeros((4, 8, 8), tf.uint8), steps=5)
    assert 20 < speed <= 4 / 0.02
