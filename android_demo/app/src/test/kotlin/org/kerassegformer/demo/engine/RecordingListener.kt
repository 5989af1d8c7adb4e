package org.kerassegformer.demo.engine

import org.junit.Assert.assertTrue
import java.util.concurrent.BlockingQueue
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Records the events of an engine. Waits up to [patienceSeconds] for each. */
internal class RecordingListener(private val patienceSeconds: Long = PATIENCE_SECONDS) : SegmentationEngine.Listener {
    val states = CopyOnWriteArrayList<EngineState>()
    val problems: BlockingQueue<Pair<Long, String>> = LinkedBlockingQueue()
    private val waiting: BlockingQueue<EngineState> = LinkedBlockingQueue()
    private val results: BlockingQueue<Result> = LinkedBlockingQueue()
    private val thermalStates: BlockingQueue<ThermalState> = LinkedBlockingQueue()

    override fun onState(state: EngineState) {
        states += state
        waiting += state
    }

    override fun onResult(result: SegmentationResult) {
        results += Result(result, result.frameId, result.map.labels.toSet(), result.dropped)
    }

    override fun onThermalStateChanged(state: ThermalState) {
        thermalStates += state
    }

    override fun onFrameProblem(frameId: Long, detail: String) {
        problems += frameId to detail
    }

    /** The next state of type [T]. */
    inline fun <reified T : EngineState> await(): T {
        while (true) {
            val state = next(waiting, T::class.simpleName)
            if (state is T) return state
            assertTrue("$state came instead of ${T::class.simpleName}", state !is EngineState.Failed)
        }
    }

    /** The processor in use once no other is tried. */
    fun settled(): ProcessorInUse {
        while (true) await<EngineState.Running>().inUse.takeIf { it.trying == null }?.let { return it }
    }

    fun result(): Result = next(results, "result")

    fun thermalState(): ThermalState = next(thermalStates, "thermal state")

    fun hasResult(withinMillis: Long): Boolean = results.poll(withinMillis, TimeUnit.MILLISECONDS) != null

    @PublishedApi
    internal fun <T : Any> next(queue: BlockingQueue<T>, what: String?): T =
        queue.poll(patienceSeconds, TimeUnit.SECONDS) ?: throw AssertionError("No $what came. The states were $states.")

    /** A copy of the result, which is only valid during the call. */
    class Result(val source: SegmentationResult, val frameId: Long, val labels: Set<Int>, val dropped: Int)
}
