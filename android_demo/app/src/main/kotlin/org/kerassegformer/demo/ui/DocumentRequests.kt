package org.kerassegformer.demo.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.widget.Toast
import org.kerassegformer.demo.R

/**
 * Launches the system's document pickers. Results arrive at `Activity.onActivityResult` with the request code, possibly
 * in a new instance of the activity after a configuration change or process death.
 */
internal class DocumentRequests(private val activity: Activity) {
    /** Lets the user open documents of a type. */
    fun open(request: Int, type: String, several: Boolean = false) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, several)
        launch(request, intent)
    }

    /** Lets the user create a document. */
    fun create(request: Int, type: String, name: String) {
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_TITLE, name)
        launch(request, intent)
    }

    private fun launch(request: Int, intent: Intent) {
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

        /** Like [SAVE_PICTURE], followed by sharing. */
        const val SHARE_PICTURE = 14

        /** Returns the documents of a result; empty if the user cancelled. */
        fun resultOf(result: Int, data: Intent?): List<Uri> {
            if (result != Activity.RESULT_OK) return emptyList()
            val several = data?.clipData ?: return listOfNotNull(data?.data)
            return (0 until several.itemCount).mapNotNull { several.getItemAt(it).uri }
        }
    }
}
