package org.kerassegformer.demo.models

import java.io.InputStream

/**
 * The models that can be chosen: those of the app and those that the user imported. Methods read and write files: call
 * them from a thread of your own, one call at a time.
 */
internal interface ModelStore {
    /** What can be used, the app's own first, and what cannot, with the reason. */
    fun list(): ModelListing

    /**
     * Takes in one or more pairs of `.tflite` and `.json` with the same stem. All is checked before anything is
     * replaced; on any error nothing has changed.
     *
     * @return the models that the files now belong to
     * @throws ModelImportException that names the file, what is wrong with it, and the remedy
     */
    fun import(documents: List<ImportDocument>): List<StoredModel>

    /**
     * Removes the files of an imported model.
     *
     * @throws IllegalArgumentException it is one of the app's own
     * @throws java.io.IOException a file cannot be removed
     */
    fun remove(model: StoredModel)
}

/** @property broken names of model files that cannot be used, each with the problem */
internal data class ModelListing(val models: List<StoredModel>, val broken: Map<String, ImportProblem>)

/**
 * A document that the user picked.
 *
 * @property name its display name, with ending
 * @property open opens its contents anew at each call
 */
internal class ImportDocument(val name: String, val open: () -> InputStream)

/** An import that was refused; nothing has changed on disk. */
internal class ModelImportException(val problem: ImportProblem, cause: Throwable? = null) :
    Exception(problem.toString(), cause)

/** What is wrong with files of a model. Each names the [fileName] it is about. */
internal sealed interface ImportProblem {
    val fileName: String

    /** There is no document of the same stem with the other ending: pick both. [missing] is its name. */
    data class PartnerMissing(override val fileName: String, val missing: String) : ImportProblem

    /** Neither a `.tflite` nor a `.json` file. */
    data class ForeignFile(override val fileName: String) : ImportProblem

    /** The document cannot be read; [detail] is the system's message. */
    data class Unreadable(override val fileName: String, val detail: String) : ImportProblem

    /** The JSON is not one of the converter, or asks for what the app cannot do; [detail] is a sentence. */
    data class BadSpec(override val fileName: String, val detail: String) : ImportProblem

    /** The file is shorter than its JSON says: it was cut off while it was copied. */
    data class Truncated(override val fileName: String, val bytes: Long, val expected: Long) : ImportProblem

    /** Its bytes are not those that its JSON describes: damaged, or of another conversion. */
    data class Corrupt(override val fileName: String) : ImportProblem

    /** The file is no TF Lite model. */
    data class NotTfLite(override val fileName: String) : ImportProblem

    /** TF Lite cannot load it, or its tensors are not those of the JSON; [detail] is a sentence. */
    data class DoesNotLoad(override val fileName: String, val detail: String) : ImportProblem

    /** It cannot be written for another reason than space; [detail] is the system's message. */
    data class NotStored(override val fileName: String, val detail: String) : ImportProblem

    /** The phone's storage is full. */
    data class NoSpace(override val fileName: String, val neededBytes: Long, val freeBytes: Long) : ImportProblem
}
