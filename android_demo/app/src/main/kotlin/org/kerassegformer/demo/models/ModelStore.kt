package org.kerassegformer.demo.models

import java.io.InputStream

/**
 * The available models, bundled and imported. Methods access files: call them on a background thread, one at a time.
 * Only while [import] waits for TF Lite, which may take long, others may be called.
 */
internal interface ModelStore {
    /** Lists the usable models, bundled ones first, and the unusable ones with the reason. */
    fun list(): ModelListing

    /**
     * Imports one or more pairs of `.tflite` and `.json` files with the same stem, and `.tflite` files that contain
     * their description. Everything is checked before anything is replaced; on an error nothing changes.
     *
     * @param ifTaken what to do if another model has the name of a file
     * @return the models that contain the imported files
     * @throws ModelImportException with the file, the problem and the remedy
     */
    suspend fun import(documents: List<ImportDocument>, ifTaken: IfTaken = IfTaken.ASK): List<StoredModel>

    /**
     * Removes the files of an imported model.
     *
     * @throws IllegalArgumentException the model is bundled
     * @throws java.io.IOException a file cannot be removed
     */
    fun remove(model: StoredModel)
}

/** What an import does if another model has the name of a file. */
internal enum class IfTaken {
    /** Fails with [ImportProblem.NameTaken]. */
    ASK,
    REPLACE,

    /** Stores the new one under another name. */
    KEEP_BOTH,
}

/** @property broken names of unusable model files with their problem */
internal data class ModelListing(val models: List<StoredModel>, val broken: Map<String, ImportProblem>)

/**
 * A document selected by the user.
 *
 * @property name display name with extension
 * @property open opens a new stream at each call
 */
internal class ImportDocument(val name: String, val open: () -> InputStream)

/** Thrown if an import fails; nothing has changed on disk. */
internal class ModelImportException(val problem: ImportProblem, cause: Throwable? = null) :
    Exception(problem.toString(), cause)

/** A problem with a model file [fileName]. */
internal sealed interface ImportProblem {
    val fileName: String

    /**
     * The document [missing], with the same stem and the other extension, was not selected, and a model does not
     * contain its description.
     */
    data class CounterpartMissing(override val fileName: String, val missing: String) : ImportProblem

    /** The document is neither a `.tflite` nor a `.json` file. */
    data class UnsupportedFile(override val fileName: String) : ImportProblem

    /** The document cannot be read; [detail] is the system's message. */
    data class Unreadable(override val fileName: String, val detail: String) : ImportProblem

    /** The JSON file is not from the converter, or the app does not support it; [detail] is a sentence. */
    data class BadSpec(override val fileName: String, val detail: String) : ImportProblem

    /** The file is shorter than its JSON file says: it was truncated while it was copied. */
    data class Truncated(override val fileName: String, val bytes: Long, val expected: Long) : ImportProblem

    /** The checksum differs from the JSON file: the file is damaged or from another conversion. */
    data class Corrupt(override val fileName: String) : ImportProblem

    /** The file is not a TF Lite model. */
    data class NotTfLite(override val fileName: String) : ImportProblem

    /** TF Lite cannot load it, or its tensors differ from the JSON file; [detail] is a sentence. */
    data class DoesNotLoad(override val fileName: String, val detail: String) : ImportProblem

    /** It cannot be written for another reason than free space; [detail] is the system's message. */
    data class NotStored(override val fileName: String, val detail: String) : ImportProblem

    /** Another model with the [name] was imported before. */
    data class NameTaken(override val fileName: String, val name: String) : ImportProblem

    /** The phone's storage is full. */
    data class NoSpace(override val fileName: String, val neededBytes: Long, val freeBytes: Long) : ImportProblem
}
