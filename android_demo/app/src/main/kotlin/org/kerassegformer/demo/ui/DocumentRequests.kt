package org.kerassegformer.demo.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ContentResolver
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import android.widget.Toast
import org.kerassegformer.demo.R

/**
 * Launches the system's document pickers. Results arrive at `Activity.onActivityResult` with the request code, possibly
 * in a new instance of the activity after a configuration change or process death.
 */
internal class DocumentRequests(private val activity: Activity) {
    /** Lets the user open an image: with the photo picker since Android 13, which needs no permission either. */
    fun openPicture() {
        val hasPicker = Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU
        if (hasPicker && launch(PICTURE, Intent(MediaStore.ACTION_PICK_IMAGES).setType(IMAGES))) return
        open(PICTURE, IMAGES)
    }

    /** Lets the user open documents of a type. */
    fun open(request: Int, type: String, several: Boolean = false) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, several)
        if (!launch(request, intent)) reportMissingApp()
    }

    /** Lets the user create a document. */
    fun create(request: Int, type: String, name: String) {
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(type)
            .putExtra(Intent.EXTRA_TITLE, name)
        if (!launch(request, intent)) reportMissingApp()
    }

    private fun launch(request: Int, intent: Intent): Boolean = try {
        activity.startActivityForResult(intent, request)
        true
    } catch (_: ActivityNotFoundException) {
        false
    }

    private fun reportMissingApp() = Toast.makeText(activity, R.string.no_app, Toast.LENGTH_LONG).show()

    internal companion object {
        const val PICTURE = 10
        const val MODEL = 11
        const val SAVE_PICTURE = 12
        const val SAVE_REPORT = 13

        /** Like [SAVE_PICTURE], followed by sharing. */
        const val SHARE_PICTURE = 14
        private const val IMAGES = "image/*"

        /** Returns the image that another app shares with this one; null for any other intent. */
        fun sharedPicture(intent: Intent): Uri? {
            if (intent.action != Intent.ACTION_SEND) return null
            val stream = try {
                // Its replacement requires Android 13.
                @Suppress("DEPRECATION")
                intent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)
            } catch (_: RuntimeException) {
                // Extras of an unknown class, or a URI of another one.
                null
            }
            // Other schemes could name the app's own files.
            return stream?.takeIf { it.scheme == ContentResolver.SCHEME_CONTENT }
        }

        /** Returns the documents of a result; empty if the user cancelled. */
        fun resultOf(result: Int, data: Intent?): List<Uri> {
            if (result != Activity.RESULT_OK) return emptyList()
            val several = data?.clipData ?: return listOfNotNull(data?.data)
            return (0 until several.itemCount).mapNotNull { several.getItemAt(it).uri }
        }
    }
}
