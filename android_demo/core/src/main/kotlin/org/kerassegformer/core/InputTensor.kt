package org.kerassegformer.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** The pixels of a model's input while they are made, and their way into a buffer. */
internal class InputTensor(private val geometry: FrameGeometry, private val type: TensorType) {
    init {
        if (type == TensorType.INT32) {
            throw FrameException(
                FrameFault.BAD_BUFFER,
                "No model takes pixels of ${type.json}; choose ${TensorType.UINT8.json} or ${TensorType.FLOAT32.json}.",
            )
        }
    }

    private val byteCount = geometry.tensorWidth * geometry.tensorHeight * CHANNELS * type.bytes

    /** `(height, width, 3)`, RGB; bars stay as they are here. */
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
                "The input has ${input.capacity()} bytes where the model takes $byteCount; make it with newInput().",
            )
        }
        if (input.isReadOnly || !input.isDirect || input.order() != ByteOrder.nativeOrder()) {
            throw FrameException(
                FrameFault.BAD_BUFFER,
                "The input is no writable direct buffer in native byte order; make it with newInput().",
            )
        }
    }

    /** Copies [pixels] into a buffer that has been checked. */
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

    /** Kept, because a view is an object, and none may be made for a frame. */
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
