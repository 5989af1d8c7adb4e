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

/** Takes in models of the user, and removes them. */
internal class ModelImports(
    private val activity: Activity,
    private val parts: AppParts,
    private val session: LiveSession,
) {
    private val main = Handler(Looper.getMainLooper())
    private val texts = EngineTexts(activity.resources)
    private val resolver: ContentResolver = activity.contentResolver

    /** Takes in the files of a model, checks them, and chooses it. */
    fun import(documents: List<Uri>) {
        toast(activity.getString(R.string.import_running))
        parts.files.execute {
            try {
                val imported = parts.models.import(documents.map(::documentOf))
                main.post { use(imported) }
            } catch (e: ModelImportException) {
                main.post { refuse(texts.problem(e.problem)) }
            }
        }
    }

    /** Removes an imported model. */
    fun delete(model: StoredModel) {
        parts.files.execute {
            try {
                parts.models.remove(model)
            } catch (e: IOException) {
                main.post { refuse(e.localizedMessage.orEmpty()) }
            }
            main.post { session.reloadModels() }
        }
    }

    private fun use(imported: List<StoredModel>) {
        val model = imported.first()
        toast(activity.getString(R.string.import_done, model.name))
        session.choose(model)
    }

    private fun refuse(why: String) {
        if (activity.isFinishing || activity.isDestroyed) {
            toast(why)
            return
        }
        AlertDialog.Builder(activity)
            .setTitle(R.string.import_refused_title)
            .setMessage(why)
            .setPositiveButton(R.string.close, null)
            .show()
    }

    private fun documentOf(uri: Uri): ImportDocument = ImportDocument(nameOf(uri)) {
        try {
            resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri")
        } catch (e: RuntimeException) {
            // What providers throw when the right has ended, or when they fail.
            throw IOException(e.message, e)
        }
    }

    private fun nameOf(uri: Uri): String {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        val name = try {
            resolver.query(uri, columns, null, null, null)?.use { if (it.moveToFirst()) it.getString(0) else null }
        } catch (_: RuntimeException) {
            // Of a provider that fails: the address is left.
            null
        }
        return name ?: uri.lastPathSegment?.substringAfterLast('/').orEmpty()
    }

    private fun toast(text: String): Unit = Toast.makeText(activity, text, Toast.LENGTH_LONG).show()
}
