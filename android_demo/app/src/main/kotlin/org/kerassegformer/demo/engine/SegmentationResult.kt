package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Phase

/**
 * The labels of one frame. The object is reused for all frames of a model.
 *
 * @property inUse the processor that computed it
 * @property map class indices of `inUse.file.spec.labelSet`
 */
internal class SegmentationResult(val inUse: ProcessorInUse, val map: LabelMap) {
    /** [Frame.id] of the segmented frame. */
    var frameId: Long = 0

    /** [Frame.cameraNanos] of the frame. */
    var cameraNanos: Long = 0

    /** Duration of preprocessing, in nanoseconds. */
    var inputNanos: Long = 0

    /** Duration of inference, in nanoseconds. */
    var inferenceNanos: Long = 0

    /** Duration of decoding the labels, in nanoseconds. */
    var outputNanos: Long = 0

    /** Number of frames dropped since the previous result. */
    var dropped: Int = 0

    /** Records all phases except [Phase.DRAW]; [Phase.CAMERA] only if known. */
    fun recordIn(stats: LatencyStats) {
        if (cameraNanos > 0) stats.record(Phase.CAMERA, cameraNanos)
        stats.record(Phase.INPUT, inputNanos)
        stats.record(Phase.INFERENCE, inferenceNanos)
        stats.record(Phase.OUTPUT, outputNanos)
    }
}
