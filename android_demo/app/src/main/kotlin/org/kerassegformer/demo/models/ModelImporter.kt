package org.kerassegformer.demo.models

import org.kerassegformer.core.ModelException
import org.kerassegformer.core.ModelFault
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.RuntimeVersion
import java.io.File
import java.io.IOException

/** Checks that TF Lite can load a file. */
internal fun interface LoadProbe {
    /**
     * Loads [file] and closes it again.
     *
     * @throws Throwable it cannot be loaded, or its tensors differ from its JSON file
     */
    fun load(file: ModelFile, location: ModelLocation)
}

/**
 * Imports models of the user.
 *
 * Each pair is copied to a staging folder and checked there. When all have passed, each is published by one rename.
 */
internal class ModelImporter(
    private val folder: ImportFolder,
    private val probe: LoadProbe,
    private val runtime: () -> RuntimeVersion?,
) {
    /**
     * Imports pairs of `.tflite` and `.json` files.
     *
     * @return the stems of the stored files
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
        val free = folder.freeBytes
        if (free < needed) throw importError(ImportProblem.NoSpace(pair.model.name, needed, free))
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
            ModelSpec.parse(json, runtime())
        } catch (failure: ModelException) {
            throw importError(ImportProblem.BadSpec(name, failure.message.orEmpty()), failure)
        }

    private fun readText(document: ImportDocument): String {
        val bytes = document.opened().use { stream -> document.reading { stream.readAtMost(MOST_JSON_BYTES + 1) } }
        if (bytes.size > MOST_JSON_BYTES) {
            throw importError(ImportProblem.BadSpec(document.name, "The file is too large for a model description."))
        }
        return bytes.decodeToString()
    }

    /** Copies at most [expected] + 1 bytes, which is enough to detect a file that is too long. */
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
            throw importError(problem, failure)
        }
    }

    private fun probe(name: String, file: ModelFile, copy: File) {
        try {
            probe.load(file, ModelLocation.OnDisk(copy))
        } catch (failure: Throwable) {
            throw importError(ImportProblem.DoesNotLoad(name, failure.message ?: failure.toString()), failure)
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
            throw importError(problem, failure)
        }

    private companion object {
        const val MOST_JSON_BYTES = 8 shl 20
        const val BUFFER_BYTES = 1 shl 16

        /** Reserve for caches, the crash log and settings. */
        const val SPARE_BYTES = 4L shl 20
    }
}
