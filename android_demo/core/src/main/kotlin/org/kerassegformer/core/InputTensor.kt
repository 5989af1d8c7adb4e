package org.kerassegformer.core

import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** Staging buffer for the pixels of a model's input. */
internal class InputTensor(private val geometry: FrameGeometry, private val type: TensorType) {
    init {
        if (type == TensorType.INT32) {
            throw FrameException(
                FrameFault.BAD_BUFFER,
                "Images of type ${type.json} are not supported; choose ${TensorType.UINT8.json} or " +
                    "${TensorType.FLOAT32.json}.",
            )
        }
    }

    private val byteCount = geometry.tensorWidth * geometry.tensorHeight * CHANNELS * type.bytes

    /** `(height, width, 3)`, RGB, initialised with the padding colour. */
    val pixels = ByteArray(geometry.tensorWidth * geometry.tensorHeight * CHANNELS) {
        FrameGeometry.PADDING[it % CHANNELS].toByte()
    }

    private val floatRow = FloatArray(if (type == TensorType.FLOAT32) geometry.tensorWidth * CHANNELS else 0)
    private var floatsOf: ByteBuffer? = null
    private var floats: FloatBuffer? = null

    fun newInput(): ByteBuffer = ByteBuffer.allocateDirect(byteCount).order(ByteOrder.nativeOrder())

    /** @throws FrameException the buffer does not fit */
    fun check(input: ByteBuffer) {
        if (input.capacity() < byteCount) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "The input buffer has ${input.capacity()} bytes instead of $byteCount; create it with newInput().",
            )
        }
        if (input.isReadOnly || !input.isDirect || input.order() != ByteOrder.nativeOrder()) {
            throw FrameException(
                FrameFault.BAD_BUFFER,
                "The input is not a writable direct buffer in native byte order; create it with newInput().",
            )
        }
    }

    /** Copies [pixels] into a buffer that passed [check]. */
    fun writeTo(input: ByteBuffer) {
        input.toStart()
        if (type == TensorType.FLOAT32) writeFloats(viewOf(input)) else input.put(pixels)
        input.toStart()
    }

    private fun writeFloats(view: FloatBuffer) {
        view.toStart()
        for (start in pixels.indices step floatRow.size) {
            for (index in floatRow.indices) floatRow[index] = (pixels[start + index].toInt() and 0xFF).toFloat()
            view.put(floatRow)
        }
    }

    /** Cached, to avoid an allocation per frame. */
    private fun viewOf(input: ByteBuffer): FloatBuffer {
        val known = floats
        if (known != null && floatsOf === input) return known
        return input.asFloatBuffer().also {
            floats = it
            floatsOf = input
        }
    }

    companion object {
        const val CHANNELS = 3
    }
}

// ByteBuffer's own overrides of these methods exist only since API 28: call those of Buffer.

internal fun Buffer.moveTo(position: Int) {
    position(position)
}

internal fun Buffer.toStart() {
    clear()
}
