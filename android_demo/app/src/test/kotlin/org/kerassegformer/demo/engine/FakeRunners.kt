package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.core.TensorType
import org.kerassegformer.demo.models.ModelLocation
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger

/** Behaviour of a fake driver. @property millis duration of a run by [FakeClock] */
internal class Behaviour(
    val millis: Long = 1,
    val create: () -> Unit = {},
    val run: (Int) -> Unit = {},
    val labels: (Int) -> Int = { it },
)

/**
 * Runners without a network: the label of a pixel is its red channel, so that labels identify their frame. [behaviours]
 * makes them fail, hang and return wrong labels.
 */
internal class FakeRunners : InferenceRunnerFactory {
    val behaviours = ConcurrentHashMap<Processor, Behaviour>()
    val made = CopyOnWriteArrayList<FakeRunner>()
    val tries = CopyOnWriteArrayList<Processor>()
    val discarded = CopyOnWriteArrayList<String>()

    override fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner {
        tries += processor
        val behaviour = behaviours[processor] ?: defaultBehaviour(processor)
        behaviour.create()
        return FakeRunner(file.spec, processor, behaviour).also { made += it }
    }

    override fun discardPrograms(file: ModelFile) {
        discarded += file.stem
    }

    /** The CPU is slower than accelerators. */
    private fun defaultBehaviour(processor: Processor) = Behaviour(millis = if (processor == Processor.CPU) 10 else 1)

    /** Runners that are not closed. */
    fun open(): List<FakeRunner> = made.filter { it.closings.get() == 0 }
}

internal class FakeRunner(private val spec: ModelSpec, val processor: Processor, private val behaviour: Behaviour) :
    InferenceRunner {
    /** The only thread that may use it. */
    val thread: Thread = Thread.currentThread()
    private var runs = 0
    val closings = AtomicInteger()

    override val runtime = RuntimeVersion(2, 16, 1).takeIf { processor == Processor.GPU }
    override val input: ByteBuffer = directBuffer(spec.input.byteCount)
    override val output: ByteBuffer = directBuffer(spec.output.byteCount)

    override fun run() {
        checkThread()
        behaviour.run(++runs)
        FakeClock.pass(behaviour.millis)
        val labels = output.asIntBuffer()
        for (y in 0 until spec.output.height) {
            for (x in 0 until spec.output.width) {
                labels.put(y * spec.output.width + x, behaviour.labels(red(4 * x, 4 * y)))
            }
        }
    }

    override fun close() {
        checkThread()
        closings.incrementAndGet()
    }

    private fun red(x: Int, y: Int): Int {
        val index = (y * spec.input.width + x) * 3
        val isFloat = spec.input.type == TensorType.FLOAT32
        return if (isFloat) input.getFloat(4 * index).toInt() else input.get(index).toInt()
    }

    private fun checkThread() {
        val current = Thread.currentThread()
        check(current == thread) { "Used on $current, not on $thread." }
    }
}

/** A call that hangs until it is released. */
internal class HangingCall {
    private val gate = CountDownLatch(1)
    private val reached = CountDownLatch(1)

    fun hang() {
        reached.countDown()
        gate.await()
    }

    fun awaitStart() = reached.await()

    fun release() = gate.countDown()
}

/** A clock that only fake runs advance, each on its own thread: a busy machine does not change who is faster. */
internal object FakeClock {
    private val nanos: ThreadLocal<Long> = ThreadLocal.withInitial { 0L }

    fun now(): Long = nanos.get()

    fun pass(millis: Long) = nanos.set(nanos.get() + millis * 1_000_000)
}
