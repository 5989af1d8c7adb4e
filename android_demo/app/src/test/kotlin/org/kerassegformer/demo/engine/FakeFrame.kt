package org.kerassegformer.demo.engine

import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.TensorType
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/** A frame whose pixels all have the value of class [label]. */
internal class FakeFrame(
    override val id: Long,
    private val label: Int = 0,
    private val failure: Exception? = null,
) : Frame {
    val closings = AtomicInteger()
    override val cameraNanos: Long = 1_000_000

    override fun writeTo(input: ByteBuffer, spec: InputSpec) {
        check(closings.get() == 0) { "Frame $id was read after it was closed." }
        failure?.let { throw it }
        fill(input, spec) { label }
    }

    override fun close() {
        closings.incrementAndGet()
    }
}

/** A self-check image with stripes of all classes. */
internal val stripes = SelfCheckImage { input, spec -> fill(input, spec) { it / 4 % FAKE_CLASSES } }

/** Fills every column with the value that [valueOf] returns for it. */
private fun fill(input: ByteBuffer, spec: InputSpec, valueOf: (Int) -> Int) {
    for (index in 0 until spec.width * spec.height * 3) {
        val value = valueOf(index / 3 % spec.width)
        val isFloat = spec.type == TensorType.FLOAT32
        if (isFloat) input.putFloat(4 * index, value.toFloat()) else input.put(index, value.toByte())
    }
}
