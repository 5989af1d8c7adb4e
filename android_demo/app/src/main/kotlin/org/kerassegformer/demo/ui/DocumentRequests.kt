package org.kerassegformer.demo.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.widget.Toast
import org.kerassegformer.demo.R

/**
 * Asks the user for documents. Answers come to `Activity.onActivityResult` by their number, perhaps of another activity
 * than asked: the screen may have been turned, or the process ended, meanwhile.
 */
internal class DocumentRequests(private val activity: Activity) {
    /** Asks for documents of a type. */
    fun open(request: Int, type: String, several: Boolean = false) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, several)
        ask(request, intent)
    }

    /** Asks where to make a new document. */
    fun create(request: Int, type: String, name: String) {
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_TITLE, name)
        ask(request, intent)
    }

    private fun ask(request: Int, intent: Intent) {
        try {
            activity.startActivityForResult(intent, request)
        } catch (_: ActivityNotFoundException) {
            Toast.makeText(activity, R.string.no_app, Toast.LENGTH_LONG).show()
        }
    }

    internal companion object {
        const val PICTURE = 10
        const val MODEL = 11
        const val SAVE_PICTURE = 12
        const val SAVE_REPORT = 13

        /** As [SAVE_PICTURE], and then shared. */
        const val SHARE_PICTURE = 14

        /** The documents of an answer; none if the user turned back. */
        fun answered(result: Int, data: Intent?): List<Uri> {
            if (result != Activity.RESULT_OK) return emptyList()
            val several = data?.clipData ?: return listOfNotNull(data?.data)
            return (0 until several.itemCount).mapNotNull { several.getItemAt(it).uri }
        }
    }
}
