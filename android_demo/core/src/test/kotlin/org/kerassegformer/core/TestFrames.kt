package org.kerassegformer.core

import java.nio.ByteBuffer
import java.util.Random

/** Frames for tests. */
internal object TestFrames {
    /** A frame of one grey. */
    fun gray(width: Int, height: Int, luma: Int): CameraFrame {
        val chromaWidth = (width + 1) / 2
        val chromaHeight = (height + 1) / 2
        return CameraFrame(
            width, height,
            Plane(filled(width * height) { luma }, width, 1),
            Plane(filled(chromaWidth * chromaHeight) { 128 }, chromaWidth, 1),
            Plane(filled(chromaWidth * chromaHeight) { 128 }, chromaWidth, 1),
        )
    }

    /** Noise in the layout of most cameras: interleaved chroma. */
    fun noise(width: Int, height: Int, random: Random): CameraFrame {
        val chromaStride = (width + 1) / 2 * 2
        val chroma = filled(chromaStride * ((height + 1) / 2)) { random.nextInt(256) }
        val v = chroma.duplicate().apply { limit(chroma.capacity() - 1) }.slice()
        val u = chroma.duplicate().apply { position(1) }.slice()
        return CameraFrame(
            width, height,
            Plane(filled(width * height) { random.nextInt(256) }, width, 1),
            Plane(u, chromaStride, 2),
            Plane(v, chromaStride, 2),
        )
    }

    private fun filled(size: Int, value: (Int) -> Int): ByteBuffer {
        val buffer = ByteBuffer.allocateDirect(size)
        for (index in 0 until size) buffer.put(index, value(index).toByte())
        return buffer
    }
}
