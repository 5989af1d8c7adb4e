package org.kerassegformer.demo.device

import androidx.test.ext.junit.runners.AndroidJUnit4
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.ModelParts
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ProcessorInUse
import org.kerassegformer.demo.engine.describe
import org.kerassegformer.demo.models.StoredModel

/** Each processor either answers as the CPU does, or is left out with a reason. */
@RunWith(AndroidJUnit4::class)
class SelfCheckTest {
    private val parts = ModelParts(Device.context)

    @Test
    fun gpu() = check(ProcessorChoice.GPU, Processor.GPU)

    @Test
    fun nnapi() = check(ProcessorChoice.NNAPI, Processor.NNAPI)

    @Test
    fun cpu() = check(ProcessorChoice.CPU, Processor.CPU)

    private fun check(choice: ProcessorChoice, processor: Processor) {
        for (model in Device.bundledModels(parts)) {
            val inUse = start(model, choice)
            val refusal = inUse.refused.firstOrNull { it.processor == processor }
            val finding = refusal?.reason?.describe() ?: inUse.check?.answers?.detail ?: "runs"
            Device.say("${model.name} on $processor: $finding")
            if (refusal == null) {
                assertEquals(processor, inUse.processor)
                assertTrue(inUse.check?.answers?.passed ?: (processor == Processor.CPU))
            } else {
                assertEquals(Processor.CPU, inUse.processor)
            }
        }
    }

    private fun start(model: StoredModel, choice: ProcessorChoice): ProcessorInUse {
        val listener = DeviceListener()
        return parts.newEngine(listener).use { engine ->
            engine.start(model, EngineSettings(choice))
            (listener.awaitSettled() as EngineState.Running).inUse
        }
    }
}
