package org.kerassegformer.core

import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.DigestInputStream
import java.security.MessageDigest
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.buildJsonObject

/**
 * The description that `keras-segformer convert` appends to a `.tflite` file, as `facts.json` in an uncompressed zip
 * archive. `java.util.zip` of Android refuses archives that do not start with the file.
 */
public object EmbeddedFacts {
    private const val NAME = "facts.json"
    private const val MOST_BYTES = 8 shl 20
    private const val STORED = 0

    // See "4.3 General Format of a .ZIP file" of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
    private const val END = 0x06054b50
    private const val END_BYTES = 22
    private const val LONGEST_COMMENT = 0xFFFF
    private const val ENTRY = 0x02014b50
    private const val ENTRY_BYTES = 46
    private const val LOCAL = 0x04034b50
    private const val LOCAL_BYTES = 30

    /**
     * Returns the JSON for `ModelSpec.parse`, with the size and checksum of the file; null if it has no description.
     *
     * @throws IOException the file cannot be read
     */
    public fun describe(file: File): String? {
        val facts = RandomAccessFile(file, "r").use(::read) ?: return null
        val content = try {
            Json.parseToJsonElement(facts) as? JsonObject ?: return null
        } catch (_: IllegalArgumentException) {
            return null
        }
        return buildJsonObject {
            content.forEach(::put)
            put("bytes", file.length())
            put("sha256", sha256(file))
        }.toString()
    }

    private fun read(file: RandomAccessFile): String? {
        val tail = block(file, maxOf(0, file.length() - END_BYTES - LONGEST_COMMENT), END_BYTES + LONGEST_COMMENT)
        val end = (tail.limit() - END_BYTES downTo 0).firstOrNull { tail.getInt(it) == END } ?: return null
        val directory = block(file, tail.unsigned(end + 16), tail.unsigned(end + 12).coerceAtMost(1 shl 20).toInt())
        var at = 0
        while (at + ENTRY_BYTES <= directory.limit() && directory.getInt(at) == ENTRY) {
            val nameBytes = directory.short(at + 28)
            if (directory.text(at + ENTRY_BYTES, nameBytes) == NAME) {
                val isStored = directory.short(at + 10) == STORED
                val size = directory.unsigned(at + 24)
                return if (isStored && size <= MOST_BYTES) content(file, directory.unsigned(at + 42), size) else null
            }
            at += ENTRY_BYTES + nameBytes + directory.short(at + 30) + directory.short(at + 32)
        }
        return null
    }

    private fun content(file: RandomAccessFile, start: Long, size: Long): String? {
        val header = block(file, start, LOCAL_BYTES)
        if (header.limit() < LOCAL_BYTES || header.getInt(0) != LOCAL) return null
        val data = block(file, start + LOCAL_BYTES + header.short(26) + header.short(28), size.toInt())
        return data.text(0, size.toInt())
    }

    /** Reads at most [bytes] bytes; less at the end of the file. */
    private fun block(file: RandomAccessFile, start: Long, bytes: Int): ByteBuffer {
        val count = minOf(bytes.toLong(), maxOf(0, file.length() - start)).toInt()
        val block = ByteArray(count)
        if (count > 0) {
            file.seek(start)
            file.readFully(block)
        }
        return ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN)
    }

    private fun ByteBuffer.short(at: Int): Int = getShort(at).toInt() and 0xFFFF

    private fun ByteBuffer.unsigned(at: Int): Long = getInt(at).toLong() and 0xFFFFFFFF

    private fun ByteBuffer.text(at: Int, bytes: Int): String? =
        if (at + bytes <= limit()) String(array(), at, bytes, Charsets.UTF_8) else null

    private fun sha256(file: File): String {
        val digest = MessageDigest.getInstance("SHA-256")
        DigestInputStream(file.inputStream(), digest).use { stream ->
            val block = ByteArray(1 shl 16)
            while (true) if (stream.read(block) < 0) break
        }
        return digest.digest().joinToString("") { "%02x".format(it) }
    }
}
