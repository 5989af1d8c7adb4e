package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap

private const val TIMED_RUNS = 2

/** The model's labels of [picture]. */
internal fun LoadedModel.answer(picture: CheckPicture): LabelMap {
    picture.writeTo(input, file.spec.input)
    run()
    return newMap().also(::read)
}

/** Nanoseconds of the fastest of some runs: the slower ones tell more of what else the phone did. */
internal fun LoadedModel.fastestRun(): Long = (1..TIMED_RUNS).minOf { run() }
