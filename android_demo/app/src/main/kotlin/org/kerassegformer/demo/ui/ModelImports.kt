package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.IfTaken
import org.kerassegformer.demo.models.ImportDocument
import org.kerassegformer.demo.models.ImportProblem
import org.kerassegformer.demo.models.ModelImportException
import org.kerassegformer.demo.models.StoredModel
import java.io.FileNotFoundException
import java.io.IOException

/** Imports and removes models of the user. */
internal class ModelImports(
    context: Context,
    private val container: AppContainer,
    private val session: LiveSession,
) {
    private val files = container.dispatchers.files
    private val texts = EngineTexts(context.resources)
    private val resolver: ContentResolver = container.resolver

    /** Imports and checks the files of a model, and selects it. Asks before it replaces another one. */
    fun import(documents: List<Uri>, ifTaken: IfTaken = IfTaken.ASK) {
        session.effects.send(ScreenEffect.Notify(R.string.import_running))
        container.scope.launch {
            try {
                select(withContext(files) { container.models.import(documents.map(::documentOf), ifTaken) })
            } catch (e: ModelImportException) {
                show(e.problem, documents)
            }
        }
    }

    /** Removes an imported model. */
    fun delete(model: StoredModel) {
        container.scope.launch {
            try {
                withContext(files) { container.models.remove(model) }
            } catch (e: IOException) {
                showError(e.localizedMessage.orEmpty())
            }
            session.reloadModels()
        }
    }

    private fun select(imported: List<StoredModel>) {
        val model = imported.first()
        session.effects.send(ScreenEffect.Notify(R.string.import_done, model.name))
        session.choose(model)
    }

    private fun show(problem: ImportProblem, documents: List<Uri>) {
        val text = texts.problem(problem)
        if (problem is ImportProblem.NameTaken) {
            session.effects.send(ScreenEffect.AskToReplace(text, documents))
        } else {
            showError(text)
        }
    }

    private fun showError(text: String) = session.effects.send(ScreenEffect.ShowImportProblem(text))

    private fun documentOf(uri: Uri): ImportDocument = ImportDocument(nameOf(uri)) {
        try {
            resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri")
        } catch (e: RuntimeException) {
            // Thrown by providers if the permission has expired or they fail.
            throw IOException(e.message, e)
        }
    }

    private fun nameOf(uri: Uri): String {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        val name = try {
            resolver.query(uri, columns, null, null, null)?.use { if (it.moveToFirst()) it.getString(0) else null }
        } catch (_: RuntimeException) {
            // The provider failed: fall back to the URI.
            null
        }
        return name ?: uri.lastPathSegment?.substringAfterLast('/').orEmpty()
    }
}
