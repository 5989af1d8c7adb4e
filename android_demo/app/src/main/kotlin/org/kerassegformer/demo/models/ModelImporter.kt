package org.kerassegformer.demo.models

import org.kerassegformer.core.ModelException
import org.kerassegformer.core.ModelFault
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import java.io.File
import java.io.IOException

/** Tries whether TF Lite takes a file. */
internal fun interface LoadProbe {
    /**
     * Loads [file] and closes it again.
     *
     * @throws Throwable it cannot be loaded, or its tensors are not those of its JSON
     */
    fun load(file: ModelFile, location: ModelLocation)
}

/**
 * Takes in models of the user.
 *
 * Each pair is copied into a folder of its own and checked there; only when all have passed are they put in place, each
 * by one renaming.
 */
internal class ModelImporter(private val folder: ImportFolder, private val probe: LoadProbe) {
    /**
     * Imports pairs of `.tflite` and `.json`.
     *
     * @return the stems under which they are stored
     * @throws ModelImportException nothing was changed
     */
    fun import(documents: List<ImportDocument>): List<String> {
        val pairs = pairDocuments(documents)
        try {
            pairs.forEach(::prepare)
            pairs.forEach { commit(it) }
        } finally {
            pairs.forEach { folder.discard(it.stem) }
        }
        return pairs.map(DocumentPair::stem)
    }

    private fun prepare(pair: DocumentPair) {
        val json = readText(pair.json)
        val file = ModelFile(pair.stem, parse(pair.json.name, json))
        val needed = file.spec.bytes + json.length + SPARE_BYTES
        if (folder.freeBytes < needed) throw refused(ImportProblem.NoSpace(pair.model.name, needed, folder.freeBytes))
        val copy = storing(pair.model.name, needed) {
            val target = folder.begin(pair.stem)
            File(target, "${pair.stem}.json").writeText(json)
            File(target, "${pair.stem}.tflite").also { copy(pair.model, it, file.spec.bytes) }
        }
        verify(pair.model.name, file.spec, copy)
        probe(pair.model.name, file, copy)
    }

    private fun commit(pair: DocumentPair) = storing(pair.model.name, SPARE_BYTES) { folder.commit(pair.stem) }

    private fun parse(name: String, json: String): ModelSpec =
        try {
            ModelSpec.parse(json)
        } catch (failure: ModelException) {
            throw refused(ImportProblem.BadSpec(name, failure.message.orEmpty()), failure)
        }

    private fun readText(document: ImportDocument): String {
        val bytes = document.opened().use { stream -> document.reading { stream.readAtMost(MOST_JSON_BYTES + 1) } }
        if (bytes.size > MOST_JSON_BYTES) {
            throw refused(ImportProblem.BadSpec(document.name, "It is longer than any description of a model."))
        }
        return bytes.decodeToString()
    }

    /** Copies no more than one byte above [expected], which is enough to know that there are too many. */
    private fun copy(document: ImportDocument, target: File, expected: Long) = document.opened().use { input ->
        target.outputStream().use { output ->
            val buffer = ByteArray(BUFFER_BYTES)
            var left = expected + 1
            while (left > 0) {
                val read = document.reading { input.read(buffer, 0, minOf(left, BUFFER_BYTES.toLong()).toInt()) }
                if (read < 0) break
                output.write(buffer, 0, read)
                left -= read
            }
            output.fd.sync()
        }
    }

    private fun verify(name: String, spec: ModelSpec, copy: File) {
        try {
            copy.inputStream().use(spec::verify)
        } catch (failure: ModelException) {
            val problem = when (failure.fault) {
                ModelFault.NOT_TFLITE -> ImportProblem.NotTfLite(name)
                ModelFault.WRONG_SIZE if copy.length() < spec.bytes ->
                    ImportProblem.Truncated(name, copy.length(), spec.bytes)
                else -> ImportProblem.Corrupt(name)
            }
            throw refused(problem, failure)
        }
    }

    private fun probe(name: String, file: ModelFile, copy: File) {
        try {
            probe.load(file, ModelLocation.OnDisk(copy))
        } catch (failure: Throwable) {
            throw refused(ImportProblem.DoesNotLoad(name, failure.message ?: failure.toString()), failure)
        }
    }

    private fun <T> storing(name: String, needed: Long, block: () -> T): T =
        try {
            block()
        } catch (failure: IOException) {
            val free = folder.freeBytes
            val problem = if (free < needed) {
                ImportProblem.NoSpace(name, needed, free)
            } else {
                ImportProblem.NotStored(name, failure.message ?: failure.toString())
            }
            throw refused(problem, failure)
        }

    private companion object {
        const val MOST_JSON_BYTES = 8 shl 20
        const val BUFFER_BYTES = 1 shl 16

        /** What else an app needs to run: caches, notes, the next start. */
        const val SPARE_BYTES = 4L shl 20
    }
}
