package org.kerassegformer.demo.ui

import android.content.Context
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.engine.EngineSettings
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
internal class SettingsStoreTest {
    private val preferences =
        RuntimeEnvironment.getApplication().getSharedPreferences("test", Context.MODE_PRIVATE)
    private val store = SettingsStore(preferences)

    @Test
    fun `the defaults are returned at first`() = assertEquals(Settings(), store.read())

    @Test
    fun `what is written is read`() {
        val settings = Settings(
            opacity = 30,
            names = false,
            smoothing = true,
            model = "garden",
            modelImported = true,
            engine = EngineSettings(ProcessorChoice.NNAPI, threads = 3),
        )
        store.write(settings)
        assertEquals(settings, store.read())
    }

    @Test
    fun `values of another version count as not set`() {
        preferences.edit().putString("opacity", "much").putString("processor", "TPU").putInt("threads", -4)
            .putInt("names", 1).commit()
        assertEquals(Settings(engine = EngineSettings(threads = 1)), store.read())
    }
}
