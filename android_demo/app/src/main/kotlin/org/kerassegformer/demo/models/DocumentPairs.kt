package org.kerassegformer.demo.models

import java.io.IOException
import java.io.InputStream
import java.text.Normalizer

/**
 * The two documents of a model.
 *
 * @property stem file name for storage, without extension
 * @property json null if only the model was selected: it may contain its description
 */
internal class DocumentPair(val stem: String, val model: ImportDocument, val json: ImportDocument?)

/**
 * Pairs models with their descriptions by name; a single model and a single description need not have the same name. A
 * model may have none, but not vice versa.
 * File types are detected by content, as document providers may change names.
 *
 * @throws ModelImportException a document has an unsupported type, cannot be read, or is a description without a model
 */
internal fun pairDocuments(documents: List<ImportDocument>): List<DocumentPair> {
    val (models, descriptions) = documents.partition { kindOf(it) == Kind.MODEL }
    if (models.size == 1 && descriptions.size == 1) return listOf(pair(models.single(), descriptions.single()))
    val modelsByStem = models.byStem()
    val descriptionsByStem = descriptions.byStem()
    descriptions.firstOrNull { it.stem !in modelsByStem }?.let { throw counterpartMissing(it, ".tflite") }
    return models.map { pair(it, descriptionsByStem[it.stem]) }
}

/** Creates the exception for a document that cannot be read. */
internal fun unreadable(document: ImportDocument, cause: Exception): ModelImportException =
    importError(ImportProblem.Unreadable(document.name, cause.message ?: cause.toString()), cause)

/** Creates the exception for [problem]. */
internal fun importError(problem: ImportProblem, cause: Throwable? = null): ModelImportException =
    ModelImportException(problem, cause)

/** Opens a document. @throws ModelImportException it cannot be opened */
internal fun ImportDocument.opened() = reading { open() }

/** Runs [block], which reads the document. @throws ModelImportException reading fails */
internal fun <T> ImportDocument.reading(block: () -> T): T =
    try {
        block()
    } catch (failure: IOException) {
        throw unreadable(this, failure)
    } catch (failure: SecurityException) {
        // The permission to read a document expires with the activity that picked it.
        throw unreadable(this, failure)
    }

private enum class Kind { MODEL, DESCRIPTION }

private val ImportDocument.stem: String get() = name.substringBeforeLast('.')

private fun pair(model: ImportDocument, json: ImportDocument?) = DocumentPair(fileNameOf(model.stem), model, json)

/** Creates the exception for a document without its other file. */
internal fun counterpartMissing(document: ImportDocument, ending: String) =
    importError(ImportProblem.CounterpartMissing(document.name, document.stem + ending))

private fun List<ImportDocument>.byStem(): Map<String, ImportDocument> =
    groupBy { it.stem }.mapValues { (_, same) ->
        same.singleOrNull() ?: throw importError(
            ImportProblem.Unreadable(same.first().name, "Several documents have this name: select one of them."),
        )
    }

private fun kindOf(document: ImportDocument): Kind {
    val start = document.opened().use { stream -> document.reading { stream.readAtMost(SNIFFED_BYTES) } }
    return when {
        start.size >= SNIFFED_BYTES && start.decodeToString(IDENTIFIER_START, SNIFFED_BYTES) == TFLITE -> Kind.MODEL
        start.decodeToString().trimStart(BYTE_ORDER_MARK, ' ', '\t', '\r', '\n').startsWith("{") -> Kind.DESCRIPTION
        document.name.endsWith(".tflite", ignoreCase = true) ->
            throw importError(ImportProblem.NotTfLite(document.name))
        document.name.endsWith(".json", ignoreCase = true) ->
            throw importError(ImportProblem.BadSpec(document.name, "It is not a JSON object."))
        else -> throw importError(ImportProblem.UnsupportedFile(document.name))
    }
}

/** Keeps letters and digits of all scripts: names in different languages must not map to the same file. */
private fun fileNameOf(stem: String): String =
    Normalizer.normalize(stem, Normalizer.Form.NFC)
        .map { if (it.isLetterOrDigit() || it in "._-") it else '_' }.joinToString("")
        .take(MOST_NAME_CHARACTERS).trim('.', '_')
        .ifEmpty { "model_%08x".format(stem.hashCode()) }

private const val TFLITE = "TFL3"
private const val IDENTIFIER_START = 4
private const val SNIFFED_BYTES = 8
/** At most 240 bytes of UTF-8, which with the extension is below the limit of 255 bytes of file systems. */
private const val MOST_NAME_CHARACTERS = 80
private const val BYTE_ORDER_MARK = '\uFEFF'

/** Reads up to [most] bytes. (`InputStream.readNBytes` requires API 33.) */
internal fun InputStream.readAtMost(most: Int): ByteArray {
    val bytes = ByteArray(most)
    var count = 0
    while (count < most) {
        val read = read(bytes, count, most - count)
        if (read < 0) break
        count += read
    }
    return bytes.copyOf(count)
}
