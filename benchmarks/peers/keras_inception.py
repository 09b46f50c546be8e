"""Keras' own InceptionResNetV2 on TensorFlow, compiled and fitted with defaults; `--bf16` takes its mixed policy."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from common import BATCH, RATE, SIDES, Clock, arguments, emit


class Steps(keras.callbacks.Callback):
    """Notes the end of each batch."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the end of a batch."""
        del batch, logs
        self.clock.tick()


def main() -> None:
    """Train one epoch and print images/s."""
    given, clock = arguments(), Clock()
    if given.bf16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    side = SIDES[given.network]
    images = keras.utils.image_dataset_from_directory(
        given.data, image_size=(side, side), batch_size=BATCH, seed=0
    )
    network = keras.applications.InceptionResNetV2(weights=None, classes=2, input_shape=(side, side, 3))
    network.compile(keras.optimizers.AdamW(RATE), "sparse_categorical_crossentropy")
    scaled = images.map(lambda x, y: (x / 127.5 - 1, y)).prefetch(tf.data.AUTOTUNE)
    network.fit(scaled, epochs=1, verbose=0, callbacks=[Steps(clock)])
    emit(clock.speed(), tensorflow=tf.__version__, keras=keras.__version__)


if __name__ == "__main__":
    main()
