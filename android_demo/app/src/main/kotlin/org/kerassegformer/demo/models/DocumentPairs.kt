package org.kerassegformer.demo.models

import java.io.IOException

/**
 * A model's two documents.
 *
 * @property stem under which they are stored: fit for a file name
 */
internal class DocumentPair(val stem: String, val model: ImportDocument, val json: ImportDocument)

/**
 * Finds what belongs together: by name, or, of one model and one JSON, whatever their names. Kinds are told by
 * contents, since what a document provider calls a document may be anything.
 *
 * @throws ModelImportException a document is of neither kind, cannot be read, or lacks its partner
 */
internal fun pairDocuments(documents: List<ImportDocument>): List<DocumentPair> {
    val (models, descriptions) = documents.partition { kindOf(it) == Kind.MODEL }
    if (models.size == 1 && descriptions.size == 1) return listOf(pair(models.single(), descriptions.single()))
    val modelsByStem = models.byStem()
    val descriptionsByStem = descriptions.byStem()
    descriptions.firstOrNull { it.stem !in modelsByStem }?.let { throw partnerMissing(it, ".tflite") }
    return models.map { model ->
        pair(model, descriptionsByStem[model.stem] ?: throw partnerMissing(model, ".json"))
    }
}

/** What says that a document cannot be read. */
internal fun unreadable(document: ImportDocument, cause: Exception): ModelImportException =
    refused(ImportProblem.Unreadable(document.name, cause.message ?: cause.toString()), cause)

/** The exception for [problem]. */
internal fun refused(problem: ImportProblem, cause: Throwable? = null): ModelImportException =
    ModelImportException(problem, cause)

/** Opens a document. @throws ModelImportException it cannot be opened */
internal fun ImportDocument.opened() = reading { open() }

/** Runs [block], which reads the document. @throws ModelImportException it fails */
internal fun <T> ImportDocument.reading(block: () -> T): T =
    try {
        block()
    } catch (failure: IOException) {
        throw unreadable(this, failure)
    } catch (failure: SecurityException) {
        // The permission to read a document ends with the screen that it was picked on.
        throw unreadable(this, failure)
    }

private enum class Kind { MODEL, DESCRIPTION }

private val ImportDocument.stem: String get() = name.substringBeforeLast('.')

private fun pair(model: ImportDocument, json: ImportDocument) = DocumentPair(fileNameOf(model.stem), model, json)

private fun partnerMissing(document: ImportDocument, ending: String) =
    refused(ImportProblem.PartnerMissing(document.name, document.stem + ending))

private fun List<ImportDocument>.byStem(): Map<String, ImportDocument> =
    groupBy { it.stem }.mapValues { (_, same) ->
        same.singleOrNull() ?: throw refused(
            ImportProblem.Unreadable(same.first().name, "Several documents have this name: pick one of them."),
        )
    }

private fun kindOf(document: ImportDocument): Kind {
    val start = document.opened().use { stream -> document.reading { stream.readAtMost(SNIFFED_BYTES) } }
    return when {
        start.size >= SNIFFED_BYTES && start.decodeToString(IDENTIFIER_START, SNIFFED_BYTES) == TFLITE -> Kind.MODEL
        start.decodeToString().trimStart(BYTE_ORDER_MARK, ' ', '\t', '\r', '\n').startsWith("{") -> Kind.DESCRIPTION
        document.name.endsWith(".tflite", ignoreCase = true) -> throw refused(ImportProblem.NotTfLite(document.name))
        document.name.endsWith(".json", ignoreCase = true) ->
            throw refused(ImportProblem.BadSpec(document.name, "It is no JSON object."))
        else -> throw refused(ImportProblem.ForeignFile(document.name))
    }
}

private fun fileNameOf(stem: String): String =
    stem.map { if (it.isAsciiNameCharacter) it else '_' }.joinToString("").take(MOST_NAME_CHARACTERS).trim('.', '_')
        .ifEmpty { "model" }

private val Char.isAsciiNameCharacter: Boolean
    get() = this in 'a'..'z' || this in 'A'..'Z' || this in '0'..'9' || this in "._-"

private const val TFLITE = "TFL3"
private const val IDENTIFIER_START = 4
private const val SNIFFED_BYTES = 8
private const val MOST_NAME_CHARACTERS = 80
private const val BYTE_ORDER_MARK = '\uFEFF'
