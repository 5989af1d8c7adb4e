package org.kerassegformer.core

import java.io.InputStream
import java.security.MessageDigest

/** Verifies a `.tflite` file by its size in bytes and its SHA-256. */
internal class ModelFileCheck(private val bytes: Long, private val sha256: String) {
    private val digest = MessageDigest.getInstance("SHA-256")
    private val head = ByteArray(IDENTIFIER_END)
    private var size = 0L

    /** Reads to the end, or until the file exceeds the expected size. */
    fun run(file: InputStream) {
        val block = ByteArray(BLOCK)
        while (size <= bytes) {
            val count = file.read(block)
            if (count < 0) break
            take(block, count)
        }
        checkIdentifier()
        checkSize()
        checkDigest()
    }

    private fun take(block: ByteArray, count: Int) {
        if (size < IDENTIFIER_END) {
            val start = size.toInt()
            block.copyInto(head, start, 0, minOf(count, IDENTIFIER_END - start))
        }
        digest.update(block, 0, count)
        size += count
    }

    private fun checkIdentifier() {
        val identifier = String(head, IDENTIFIER_START, IDENTIFIER_END - IDENTIFIER_START, Charsets.ISO_8859_1)
        if (identifier != IDENTIFIER) {
            throw ModelException(
                ModelFault.NOT_TFLITE,
                "This is not a TF Lite file; choose the .tflite file that keras-segformer convert wrote.",
            )
        }
    }

    private fun checkSize() {
        if (size != bytes) {
            val found = if (size < bytes) "only $size" else "more"
            throw ModelException(
                ModelFault.WRONG_SIZE,
                "The model has $found bytes instead of the $bytes of its JSON file; copy both files again.",
            )
        }
    }

    private fun checkDigest() {
        val found = digest.digest().joinToString("") { "%02x".format(it) }
        if (found != sha256) {
            throw ModelException(
                ModelFault.WRONG_CHECKSUM,
                "The model is damaged or does not belong to its JSON file (SHA-256 $found instead of $sha256); copy " +
                    "both files again.",
            )
        }
    }

    private companion object {
        const val IDENTIFIER = "TFL3"
        const val IDENTIFIER_START = 4
        const val IDENTIFIER_END = 8
        const val BLOCK = 1 shl 16
    }
}
