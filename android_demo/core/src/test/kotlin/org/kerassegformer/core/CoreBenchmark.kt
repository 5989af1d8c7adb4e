package org.kerassegformer.core

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import java.util.Random
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

private const val FRAME_WIDTH = 640
private const val FRAME_HEIGHT = 480
private const val TENSOR = 512
private const val MAP = TENSOR / 4
private const val WARMUP = 300
private const val RUNS = 300

private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

/** Benchmark of the per-frame code with JSON output, run by `benchmarks/android_core.py`. */
public fun main() {
    val random = Random(1)
    val frame = TestFrames.noise(FRAME_WIDTH, FRAME_HEIGHT, random)
    val labelSet = labelSetOf(List(150) { it * 7919 })
    val report = buildJsonObject {
        for ((name, work) in framesIn(frame) + labelsOut(labelSet, random)) putJsonObject(name) {
            repeat(WARMUP) { work.run() }
            val bytes = bytesPerFrame(work)
            val timing = checkNotNull(Timing.of(List(RUNS) { milliseconds(work) }))
            put("p50_ms", timing.p50)
            put("p90_ms", timing.p90)
            put("bytes_per_frame", bytes)
        }
    }
    println(report)
}

private fun framesIn(frame: CameraFrame): Map<String, Runnable> = mapOf(
    "frame in" to conversion(frame, TensorType.UINT8, Rotation.NONE, Framing.CROP),
    "frame in, turned by 90 degrees" to conversion(frame, TensorType.UINT8, Rotation.CLOCKWISE_90, Framing.CROP),
    "frame in, as floats" to conversion(frame, TensorType.FLOAT32, Rotation.NONE, Framing.CROP),
    "frame in, with bars" to conversion(frame, TensorType.UINT8, Rotation.NONE, Framing.FIT),
)

private fun conversion(frame: CameraFrame, type: TensorType, rotation: Rotation, framing: Framing): Runnable {
    val converter = FrameToInput(
        FrameGeometry(FRAME_WIDTH, FRAME_HEIGHT, TENSOR, TENSOR, rotation, mirror = false, framing),
        type,
    )
    val input = converter.newInput()
    return Runnable { converter.convert(frame, input) }
}

private fun labelsOut(labelSet: LabelSet, random: Random): Map<String, Runnable> {
    // Patches of 16 labels have about as many borders as a street scene.
    val patches = List(MAP / 16 * MAP / 16) { random.nextInt(labelSet.size) }
    return mapOf(
        "labels out" to drawing(labelSet) { x, y -> patches[y / 16 * (MAP / 16) + x / 16] },
        "labels out, noise" to drawing(labelSet) { _, _ -> random.nextInt(labelSet.size) },
    )
}

/** Postprocessing of a model's output: decoding, counting and rendering. */
private fun drawing(labelSet: LabelSet, label: (Int, Int) -> Int): Runnable {
    val spec = OutputSpec(OutputKind.LABELS, MAP, MAP, 1)
    val output = LabelReader.newOutput(spec)
    for (y in 0 until MAP) for (x in 0 until MAP) output.putInt(4 * (y * MAP + x), label(x, y))
    val reader = LabelReader(spec, output)
    val map = LabelMap(MAP, MAP)
    val shares = ClassShares(labelSet)
    val colorizer = LabelColorizer(labelSet, MAP, MAP, TENSOR, TENSOR).apply { opacity = 0.5f }
    val pixels = IntArray(TENSOR * TENSOR)
    return Runnable {
        reader.read(map)
        shares.count(map)
        colorizer.draw(map, pixels)
    }
}

/** Measures CPU time, to exclude other load on the machine. */
private fun milliseconds(work: Runnable): Double {
    val start = threads.currentThreadCpuTime
    work.run()
    return (threads.currentThreadCpuTime - start) / 1e6
}

private fun bytesPerFrame(work: Runnable): Long {
    val before = threads.currentThreadAllocatedBytes
    repeat(RUNS) { work.run() }
    return (threads.currentThreadAllocatedBytes - before) / RUNS
}
