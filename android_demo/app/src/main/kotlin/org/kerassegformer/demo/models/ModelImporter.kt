package org.kerassegformer.demo.models

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.kerassegformer.core.EmbeddedFacts
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
     * Loads [file] and closes it again. Suspends meanwhile, as a driver or a file may take long.
     *
     * @throws Throwable it cannot be loaded, or its tensors differ from its JSON file
     */
    suspend fun load(file: ModelFile, location: ModelLocation)
}

/**
 * Imports models of the user.
 *
 * Each pair is copied to a staging folder and checked there. When all have passed, all are published, each by one
 * rename.
 */
internal class ModelImporter(
    private val folder: ImportFolder,
    private val probe: LoadProbe,
    private val runtime: () -> RuntimeVersion?,
) {
    /** The drafts of an import are in one folder, which the next one would empty. */
    private val oneAtATime = Mutex()

    /**
     * Imports pairs of `.tflite` and `.json` files, and `.tflite` files that contain their description.
     *
     * @return the stems of the stored files
     * @throws ModelImportException nothing was changed
     */
    suspend fun import(documents: List<ImportDocument>, ifTaken: IfTaken): List<String> = oneAtATime.withLock {
        val stems = ArrayList<String>()
        try {
            pairDocuments(documents).forEach { prepare(it, ifTaken, stems) }
            storing(documents.first().name, SPARE_BYTES) { folder.commit(stems) }
        } finally {
            folder.discardAll()
        }
        stems
    }

    /** Copies and checks a pair, and adds the stem under which it will be stored to [stems]. */
    private suspend fun prepare(pair: DocumentPair, ifTaken: IfTaken, stems: MutableList<String>) {
        val draft = if (pair.json == null) copyBare(pair.model) else copyPair(pair.model, pair.json)
        val file = ModelFile(stemFor(ModelFile(pair.stem, draft.spec), pair.model.name, ifTaken, stems), draft.spec)
        probe(pair.model.name, file, draft.model)
        storing(pair.model.name, SPARE_BYTES) {
            val place = folder.begin(file.stem)
            File(place, "${file.stem}.json").writeText(draft.json)
            val model = File(place, "${file.stem}.tflite")
            if (!draft.model.renameTo(model)) throw IOException("The file ${model.path} cannot be created.")
        }
        stems += file.stem
    }

    private fun copyPair(model: ImportDocument, description: ImportDocument): Draft {
        val json = readText(description)
        val spec = parse(description.name, json)
        val needed = spec.bytes + json.length + SPARE_BYTES
        val free = folder.freeBytes
        if (free < needed) throw importError(ImportProblem.NoSpace(model.name, needed, free))
        val copy = storing(model.name, needed) { newDraft().also { copy(model, it, spec.bytes) } }
        verify(model.name, spec, copy)
        return Draft(copy, json, spec)
    }

    private fun copyBare(model: ImportDocument): Draft {
        val free = folder.freeBytes
        val most = (free - SPARE_BYTES).coerceIn(0, MOST_MODEL_BYTES)
        val copy = storing(model.name, SPARE_BYTES) { newDraft().also { copy(model, it, most) } }
        val bytes = copy.length()
        if (bytes > most) throw importError(ImportProblem.NoSpace(model.name, bytes + SPARE_BYTES, free))
        val json = storing(model.name, SPARE_BYTES) { EmbeddedFacts.describe(copy) }
            ?: throw counterpartMissing(model, ".json")
        return Draft(copy, json, parse(model.name, json))
    }

    private fun newDraft() = File(folder.begin(DRAFT), "model.tflite")

    /** Returns the stem for [file], unless another model has it and [ifTaken] is to ask. */
    private fun stemFor(file: ModelFile, name: String, ifTaken: IfTaken, stems: List<String>): String {
        val isTaken = isTaken(file)
        if (file.stem !in stems && isTaken && ifTaken == IfTaken.ASK) {
            throw importError(ImportProblem.NameTaken(name, file.stem))
        }
        val isApart = file.stem in stems || isTaken && ifTaken == IfTaken.KEEP_BOTH
        if (!isApart && (isTaken || !wouldJoinOtherNetwork(file))) return file.stem
        val used = folder.stems() + stems
        return generateSequence(2) { it + 1 }.map(file::numbered)
            .first { it !in used && !wouldJoinOtherNetwork(file.copy(stem = it)) }
    }

    /** Returns true if the set of that name is of another network, which the app would run on the other processors. */
    private fun wouldJoinOtherNetwork(file: ModelFile): Boolean = folder.stems().any { stem ->
        val stored = storedFile(stem)
        stored != null && stored.setName == file.setName && stored.isOfOtherNetwork(file)
    }

    /** Returns true if the stem belongs to another model: importing the same one again replaces it. */
    private fun isTaken(file: ModelFile): Boolean {
        if (file.stem !in folder.stems()) return false
        val stored = storedFile(file.stem) ?: return false
        return stored.spec.sha256 != file.spec.sha256
    }

    /** Returns an imported file; null if its description is unusable. */
    private fun storedFile(stem: String): ModelFile? = try {
        ModelFile(stem, ModelSpec.parse(folder.json(stem), runtime()))
    } catch (_: ModelException) {
        null
    } catch (_: IOException) {
        null
    }

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

    private suspend fun probe(name: String, file: ModelFile, copy: File) {
        try {
            probe.load(file, ModelLocation.OnDisk(copy))
        } catch (cancelled: CancellationException) {
            throw cancelled
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

    /** A copy of a model that has its final content, but not its name. */
    private class Draft(val model: File, val json: String, val spec: ModelSpec)

    private companion object {
        const val MOST_JSON_BYTES = 8 shl 20
        const val MOST_MODEL_BYTES = 1L shl 30

        /** No stem has this character. */
        const val DRAFT = "~"
        const val BUFFER_BYTES = 1 shl 16

        /** Reserve for caches, the crash log and settings. */
        const val SPARE_BYTES = 4L shl 20
    }
}

/** Returns a stem such as `b0_2_int8` for `b0_int8`, whose precision stays at the end. */
private fun ModelFile.numbered(number: Int): String = setName + "_$number" + stem.removePrefix(setName)
