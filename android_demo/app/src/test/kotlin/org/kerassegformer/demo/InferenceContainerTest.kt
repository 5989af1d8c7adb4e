package org.kerassegformer.demo

import android.content.Context
import android.content.ContextWrapper
import android.content.pm.PackageManager
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
class InferenceContainerTest {
    /** The container is created on the main thread, before the first screen is drawn. */
    private class OnTheMainThread(context: Context) : ContextWrapper(context) {
        override fun getPackageManager(): PackageManager = throw AssertionError("asks another process")
    }

    @Test
    fun `creating it asks no other process and reads no log`() {
        val container = InferenceContainer(OnTheMainThread(RuntimeEnvironment.getApplication()))
        assertEquals("the stubs of the flavour litert can use all", emptySet<Processor>(), container.unusable)
    }
}
