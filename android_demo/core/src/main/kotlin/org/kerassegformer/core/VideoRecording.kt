package org.kerassegformer.core

import java.nio.ByteBuffer

/** What an encoder puts out. */
public sealed interface EncodedPart<out F> {
    /** The format, before the first sample. */
    public class Format<F>(public val format: F) : EncodedPart<F>

    /** A frame. [data] is only valid during the call that it is passed to. */
    public class Sample(public val data: ByteBuffer, public val micros: Long, public val isKey: Boolean) :
        EncodedPart<Nothing>
}

/** An encoder of video, such as `MediaCodec`. Its exceptions are those of the platform. */
public interface VideoEncoder<P, F> : AutoCloseable {
    /** Takes a frame, or returns false if it is busy and the frame is to be dropped. */
    public fun encode(picture: P, micros: Long): Boolean

    /** Passes on what is finished; with [atEnd] waits for all frames. */
    public fun drain(atEnd: Boolean, receive: (EncodedPart<F>) -> Unit)
}

/** A file of video, such as `MediaMuxer` writes. Its exceptions are those of the platform. */
public interface VideoFile<F> : AutoCloseable {
    /** Bytes that the file may still grow by. */
    public val freeBytes: Long

    public fun start(format: F)

    public fun write(sample: EncodedPart.Sample)

    /** Completes the file, which can be played only then. */
    public fun finish()

    /** Removes the file. */
    public fun remove()
}

/** How a recording ended. */
public enum class RecordingEnd {
    /** The file is complete. */
    COMPLETE,

    /** The file is complete, but ended early because the storage is nearly full. */
    COMPLETE_FULL,

    /** There is no file, as no frame was encoded. */
    EMPTY,

    /** There is no file, as the encoder or the storage failed. */
    FAILED,
}

/**
 * A recording: frames go through an encoder into a file. Not thread-safe.
 *
 * Times start at 0 and rise from frame to frame, whatever the clock of the frames does. When less than [reserveBytes]
 * are free, the file is completed while there is still room for its index, without which it cannot be played. After any
 * error the file is removed; nothing is thrown.
 *
 * @param onEnd receives the outcome, once
 */
public class VideoRecording<P, F>(
    private val encoder: VideoEncoder<P, F>,
    private val file: VideoFile<F>,
    private val reserveBytes: Long = RESERVE_BYTES,
    private val onEnd: (RecordingEnd) -> Unit,
) {
    private var firstNanos = 0L
    private var lastMicros = NONE
    private var samples = 0
    private var isStarted = false

    /** Why the recording failed; null if it did not. */
    public var error: Exception? = null
        private set

    /** True until the outcome is known. */
    public var isRunning: Boolean = true
        private set

    /** Duration so far, in microseconds. */
    public val micros: Long get() = maxOf(lastMicros, 0)

    /**
     * Adds a frame; after the end, does nothing.
     *
     * @param nanos time at which it was taken. Frames that are not later than the one before are dropped
     */
    public fun add(picture: P, nanos: Long) {
        if (!isRunning) return
        if (lastMicros == NONE) firstNanos = nanos
        val micros = (nanos - firstNanos) / NANOS_PER_MICRO
        if (micros <= lastMicros) return
        guarded {
            if (file.freeBytes < reserveBytes) {
                finish(RecordingEnd.COMPLETE_FULL)
            } else {
                if (encoder.encode(picture, micros)) lastMicros = micros
                encoder.drain(atEnd = false, ::receive)
            }
        }
    }

    /** Completes the file. */
    public fun stop() {
        if (isRunning) guarded { finish(RecordingEnd.COMPLETE) }
    }

    private fun finish(end: RecordingEnd) {
        if (lastMicros != NONE) encoder.drain(atEnd = true, ::receive)
        if (samples > 0) file.finish()
        end(if (samples > 0) end else RecordingEnd.EMPTY)
    }

    private fun receive(part: EncodedPart<F>) {
        when (part) {
            is EncodedPart.Format -> {
                check(!isStarted) { "The encoder changed the format of the video." }
                file.start(part.format)
                isStarted = true
            }
            is EncodedPart.Sample -> {
                check(isStarted) { "The encoder gave a frame before the format." }
                file.write(part)
                samples++
            }
        }
    }

    private fun guarded(work: () -> Unit) {
        try {
            work()
        } catch (e: Exception) { // MediaCodec and MediaMuxer throw IllegalStateException for most of their errors
            error = e
            if (isRunning) end(RecordingEnd.FAILED)
        }
    }

    private fun end(end: RecordingEnd) {
        isRunning = false
        val hasFile = end == RecordingEnd.COMPLETE || end == RecordingEnd.COMPLETE_FULL
        for (resource in listOf<AutoCloseable>(encoder, file)) {
            try {
                resource.close()
            } catch (e: Exception) { // what counts is how the file ended
                error = error ?: e
            }
        }
        if (!hasFile) file.remove()
        onEnd(end)
    }

    public companion object {
        /** Room for the index of a long video and for what the encoder holds back. */
        public const val RESERVE_BYTES: Long = 32L shl 20

        private const val NONE = -1L
        private const val NANOS_PER_MICRO = 1_000
    }
}
