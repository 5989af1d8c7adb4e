package org.kerassegformer.demo.benchmark

import android.os.Bundle
import org.junit.Assert.assertEquals
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

    private fun refusal(fill: Bundle.() -> Unit): String =
        assertThrows(BenchmarkRequestException::class.java) { BenchmarkRequest.of(extras(fill)) }.message.orEmpty()

    @Test
    fun `without extras all is measured`() {
        assertEquals(BenchmarkRequest(), BenchmarkRequest.of(null))
        val plan = BenchmarkRequest.of(Bundle()).planFor(listOf(fakeModel("a"), fakeModel("b")))
        assertEquals(listOf("a", "b"), plan.models.map { it.name })
        assertEquals(Processor.entries, plan.processors)
        assertEquals(10 to 50, plan.warmUp to plan.runs)
    }

    @Test
    fun `extras choose`() {
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
    fun `what makes no sense is refused with what would`() {
        assertTrue("gpu, nnapi or cpu" in refusal { putString("processors", "tpu") })
        assertTrue("from 1 to" in refusal { putInt("runs", 0) })
        assertTrue("from 1 to" in refusal { putString("runs", "many") })
        assertTrue("from 1 to" in refusal { putBoolean("threads", true) })
        assertTrue("file name" in refusal { putString("output", "../../x") })
        val missing = assertThrows(BenchmarkRequestException::class.java) {
            BenchmarkRequest(models = listOf("x")).planFor(listOf(fakeModel("a")))
        }
        assertEquals("There is no model x; there are a.", missing.message)
    }
}
