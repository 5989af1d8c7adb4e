package org.kerassegformer.demo.device

import androidx.test.ext.junit.runners.AndroidJUnit4
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ProcessorInUse
import org.kerassegformer.demo.engine.describe
import org.kerassegformer.demo.models.StoredModel

/** The labels of each processor match the CPU's, or it is rejected with a reason. */
@RunWith(AndroidJUnit4::class)
class SelfCheckTest {
    private val container = InferenceContainer(Device.context)

    @Test
    fun gpu() = check(ProcessorChoice.GPU, Processor.GPU)

    @Test
    fun nnapi() = check(ProcessorChoice.NNAPI, Processor.NNAPI)

    @Test
    fun cpu() = check(ProcessorChoice.CPU, Processor.CPU)

    private fun check(choice: ProcessorChoice, processor: Processor) {
        for (model in Device.bundledModels(container)) {
            val inUse = start(model, choice)
            val rejection = inUse.rejected.firstOrNull { it.processor == processor }
            val finding = rejection?.reason?.describe() ?: inUse.check?.result?.detail ?: "runs"
            Device.log("${model.name} on $processor: $finding")
            if (rejection == null) {
                assertEquals(processor, inUse.processor)
                assertTrue(inUse.check?.result?.passed ?: (processor == Processor.CPU))
            } else {
                assertEquals(Processor.CPU, inUse.processor)
            }
        }
    }

    private fun start(model: StoredModel, choice: ProcessorChoice): ProcessorInUse {
        val listener = DeviceListener()
        return container.newEngine(listener).use { engine ->
            engine.start(model, EngineSettings(choice))
            (listener.awaitSettled() as EngineState.Running).inUse
        }
    }
}
