package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap

private const val TIMED_RUNS = 2

/** Runs the model on [image] and returns its labels. */
internal fun LoadedModel.predict(image: SelfCheckImage): LabelMap {
    image.writeTo(input, file.spec.input)
    run()
    return newMap().also(::read)
}

/** Returns the duration of the fastest of several runs in nanoseconds; slower ones measure other load on the phone. */
internal fun LoadedModel.fastestRun(): Long = (1..TIMED_RUNS).minOf { run() }
