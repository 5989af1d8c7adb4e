package org.kerassegformer.demo.device

import android.content.Context
import android.os.Bundle
import androidx.test.platform.app.InstrumentationRegistry
import org.kerassegformer.demo.ModelParts
import org.kerassegformer.demo.models.StoredModel

/** The phone under test. */
internal object Device {
    val context: Context get() = InstrumentationRegistry.getInstrumentation().targetContext

    /** The models that came with the app. */
    fun bundledModels(parts: ModelParts): List<StoredModel> =
        parts.newModelStore().list().models.filterNot(StoredModel::imported)

    /** Shows a line in the output of `adb shell am instrument`. */
    fun say(line: String) {
        val status = Bundle().apply { putString("stream", "\n$line") }
        InstrumentationRegistry.getInstrumentation().sendStatus(0, status)
    }
}
