package org.kerassegformer.demo.device

import android.content.Context
import android.os.Bundle
import androidx.test.platform.app.InstrumentationRegistry
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.models.StoredModel

/** The phone under test. */
internal object Device {
    val context: Context get() = InstrumentationRegistry.getInstrumentation().targetContext

    /** The bundled models. */
    fun bundledModels(container: InferenceContainer): List<StoredModel> =
        container.newModelStore().list().models.filterNot(StoredModel::imported)

    /** Prints a line in the output of `adb shell am instrument`. */
    fun log(line: String) {
        val status = Bundle().apply { putString("stream", "\n$line") }
        InstrumentationRegistry.getInstrumentation().sendStatus(0, status)
    }
}
