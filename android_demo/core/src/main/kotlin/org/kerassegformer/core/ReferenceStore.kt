package org.kerassegformer.core

import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.util.zip.GZIPInputStream
import java.util.zip.GZIPOutputStream

/**
 * Labels that the CPU computed of the self-check image.
 *
 * @property nanos duration of one run, in nanoseconds
 */
public class StoredReference(public val map: LabelMap, public val nanos: Long)

/**
 * The CPU's labels of the self-check image on disk, one file per model file and number of threads, so that they are
 * not computed at each start. Unreadable files, and those of another [device], count as missing. Not thread-safe.
 *
 * @param device identifies what computed the labels: the system, the app and its runtime
 */
public class ReferenceStore(private val folder: File, device: () -> String) {
    private val device by lazy(device)

    /** Returns the labels of [file], or null. */
    public fun read(file: ModelFile, threads: Int): StoredReference? {
        val output = file.spec.output
        return try {
            DataInputStream(GZIPInputStream(placeOf(file, threads).inputStream()).buffered()).use { stream ->
                if (stream.readUTF() != device) return null
                val nanos = stream.readLong()
                val map = LabelMap(output.width, output.height)
                for (index in map.labels.indices) map.labels[index] = stream.readInt()
                // Reads the checksum at the end.
                if (stream.read() >= 0 || nanos <= 0) null else StoredReference(map, nanos)
            }
        } catch (_: IOException) {
            null
        }
    }

    /** Stores the labels of [file], and deletes the oldest of more than [MOST_FILES]. Does nothing if it cannot. */
    public fun write(file: ModelFile, threads: Int, reference: StoredReference) {
        try {
            Files.createDirectories(folder.toPath())
            val draft = File(folder, "draft")
            DataOutputStream(GZIPOutputStream(draft.outputStream().buffered())).use { stream ->
                stream.writeUTF(device)
                stream.writeLong(reference.nanos)
                reference.map.labels.forEach(stream::writeInt)
            }
            Files.move(draft.toPath(), placeOf(file, threads).toPath(), StandardCopyOption.REPLACE_EXISTING)
            folder.listFiles().orEmpty().sortedByDescending(File::lastModified).drop(MOST_FILES).forEach(File::delete)
        } catch (_: IOException) {
            // Computed again at the next start.
        }
    }

    private fun placeOf(file: ModelFile, threads: Int) = File(folder, "${file.spec.sha256}_$threads")

    private companion object {
        const val MOST_FILES = 8
    }
}
