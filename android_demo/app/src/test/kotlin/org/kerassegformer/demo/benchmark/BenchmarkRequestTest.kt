package org.kerassegformer.demo.benchmark

import android.content.Intent
import android.os.Bundle
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.engine.fakeModel
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class BenchmarkRequestTest {
    private fun extras(fill: Bundle.() -> Unit) = Bundle().apply(fill)

    private fun rejection(fill: Bundle.() -> Unit): String =
        assertThrows(BenchmarkRequestException::class.java) { BenchmarkRequest.of(extras(fill)) }.message.orEmpty()

    @Test
    fun `without extras everything is measured`() {
        assertEquals(BenchmarkRequest(), BenchmarkRequest.of(null))
        val plan = BenchmarkRequest.of(Bundle()).planFor(listOf(fakeModel("a"), fakeModel("b")))
        assertEquals(listOf("a", "b"), plan.models.map { it.name })
        assertEquals(Processor.entries, plan.processors)
        assertEquals(10 to 50, plan.warmUp to plan.runs)
    }

    @Test
    fun `extras select models and processors`() {
        val request = BenchmarkRequest.of(
            extras {
                putString("models", "b, a")
                putString("processors", "CPU,gpu")
                putInt("threads", 2)
                putString("runs", "7")
                putInt("warm_up", 0)
                putString("output", "mine.json")
            },
        )
        assertEquals(
            BenchmarkRequest(listOf("b", "a"), listOf(Processor.CPU, Processor.GPU), 2, 0, 7, "mine.json"),
            request,
        )
        val plan = request.planFor(listOf(fakeModel("a"), fakeModel("b"), fakeModel("c")))
        assertEquals(listOf("b", "a"), plan.models.map { it.name })
    }

    @Test
    fun `only an intent with extras asks for a benchmark`() {
        assertFalse(BenchmarkRequest.isIn(Intent()))
        assertTrue(BenchmarkRequest.isIn(Intent().putExtra("anything", 1)))
    }

    @Test
    fun `invalid values are answered with the valid ones`() {
        assertTrue("gpu, nnapi or cpu" in rejection { putString("processors", "tpu") })
        assertTrue("from 1 to" in rejection { putInt("runs", 0) })
        assertTrue("from 1 to" in rejection { putString("runs", "many") })
        assertTrue("from 1 to" in rejection { putBoolean("threads", true) })
        assertTrue("file name" in rejection { putString("output", "../../x") })
        assertTrue("a string of at most" in rejection { putInt("models", 3) })
        assertTrue("a string of at most" in rejection { putString("models", "a,".repeat(100_000)) })
        assertTrue("a string of at most" in rejection { putStringArray("processors", arrayOf("cpu")) })
        val missing = assertThrows(BenchmarkRequestException::class.java) {
            BenchmarkRequest(models = listOf("x")).planFor(listOf(fakeModel("a")))
        }
        assertEquals("There is no model x. Available: a.", missing.message)
    }
}
