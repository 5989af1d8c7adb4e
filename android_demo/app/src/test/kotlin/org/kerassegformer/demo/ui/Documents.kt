package org.kerassegformer.demo.ui

import android.net.Uri
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.ByteArrayInputStream
import java.io.File
import java.io.FileNotFoundException

/** Documents of another app, over files: what the pickers of the system give. */
internal object Documents {
    private val resolver get() = shadowOf(RuntimeEnvironment.getApplication().contentResolver)

    /** A document that can be read as long as [file] is there. */
    fun of(file: File): Uri {
        val uri = addressOf(file)
        resolver.registerInputStreamSupplier(uri) {
            if (!file.exists()) throw FileNotFoundException("$file")
            ByteArrayInputStream(file.readBytes())
        }
        return uri
    }

    /** A new document that can be written. */
    fun newAt(file: File): Uri {
        val uri = addressOf(file)
        resolver.registerOutputStreamSupplier(uri) { file.outputStream() }
        return uri
    }

    private fun addressOf(file: File): Uri = Uri.parse("content://documents.test/${file.name}")
}
