package org.kerassegformer.demo.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.ContentResolver
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.provider.OpenableColumns
import android.widget.Toast
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.ImportDocument
import org.kerassegformer.demo.models.ModelImportException
import org.kerassegformer.demo.models.StoredModel
import java.io.FileNotFoundException
import java.io.IOException

/** Imports and removes models of the user. */
internal class ModelImports(
    private val activity: Activity,
    private val container: AppContainer,
    private val session: LiveSession,
) {
    private val main = Handler(Looper.getMainLooper())
    private val texts = EngineTexts(activity.resources)
    private val resolver: ContentResolver = activity.contentResolver

    /** Imports and checks the files of a model, and selects it. */
    fun import(documents: List<Uri>) {
        toast(activity.getString(R.string.import_running))
        container.files.execute {
            try {
                val imported = container.models.import(documents.map(::documentOf))
                main.post { select(imported) }
            } catch (e: ModelImportException) {
                main.post { showError(texts.problem(e.problem)) }
            }
        }
    }

    /** Removes an imported model. */
    fun delete(model: StoredModel) {
        container.files.execute {
            try {
                container.models.remove(model)
            } catch (e: IOException) {
                main.post { showError(e.localizedMessage.orEmpty()) }
            }
            main.post { session.reloadModels() }
        }
    }

    private fun select(imported: List<StoredModel>) {
        val model = imported.first()
        toast(activity.getString(R.string.import_done, model.name))
        session.choose(model)
    }

    private fun showError(text: String) {
        if (activity.isFinishing || activity.isDestroyed) {
            toast(text)
            return
        }
        AlertDialog.Builder(activity)
            .setTitle(R.string.import_failed_title)
            .setMessage(text)
            .setPositiveButton(R.string.close, null)
            .show()
    }

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

    private fun toast(text: String): Unit = Toast.makeText(activity, text, Toast.LENGTH_LONG).show()
}
