package org.kerassegformer.demo.ui

import android.net.Uri
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.ByteArrayInputStream
import java.io.File
import java.io.FileNotFoundException

/** Documents of another app, backed by files, as returned by the document pickers. */
internal object FakeDocuments {
    private val resolver get() = shadowOf(RuntimeEnvironment.getApplication().contentResolver)

    /** A document that is readable as long as [file] exists. */
    fun of(file: File): Uri {
        val uri = addressOf(file)
        resolver.registerInputStreamSupplier(uri) {
            if (!file.exists()) throw FileNotFoundException("$file")
            ByteArrayInputStream(file.readBytes())
        }
        return uri
    }

    /** A new writable document. */
    fun newAt(file: File): Uri {
        val uri = addressOf(file)
        resolver.registerOutputStreamSupplier(uri) { file.outputStream() }
        return uri
    }

    private fun addressOf(file: File): Uri = Uri.parse("content://documents.test/${file.name}")
}
