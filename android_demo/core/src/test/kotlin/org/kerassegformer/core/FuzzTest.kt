package org.kerassegformer.core

import java.io.File
import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.Random
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Fuzz tests: any input leads to a result or to a [CoreException], never to another exception. */
class FuzzTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val random = Random(2026)

    @Test
    fun frames() = fuzz(4000) {
        val geometry = geometry()
        val type = TensorType.entries.random()
        val converter = FrameToInput(geometry, type, YuvEncoding.entries.random())
        val isHonest = random.nextInt(3) > 0
        val frame = if (isHonest) {
            TestFrames.noise(geometry.frameWidth, geometry.frameHeight, random)
        } else {
            CameraFrame(side(), side(), plane(), plane(), plane())
        }
        val input = if (random.nextInt(4) > 0) converter.newInput() else ByteBuffer.allocateDirect(random.nextInt(9000))
        converter.convert(frame, input)
    }

    @Test
    fun pictures() = fuzz(1000) {
        val geometry = geometry()
        val converter = PictureToInput(geometry, TensorType.entries.random())
        val needed = geometry.frameWidth * geometry.frameHeight
        val size = if (random.nextInt(3) > 0) needed else random.nextInt(5000)
        val pixels = IntArray(size) { random.nextInt() }
        converter.convert(pixels, converter.newInput())
    }

    @Test
    fun labels() = fuzz(1000) {
        val labelSet = TestSpecs.spec().labelSet
        val map = labelMap(labelSet)
        LabelSmoother(mapSide(), mapSide(), labelSet, Float.fromBits(random.nextInt())).smooth(map)
        ClassShares(labelSet).count(map, if (random.nextBoolean()) box() else null)
        val colorizer = LabelColorizer(labelSet, map.width, map.height, side(), side())
        colorizer.opacity = Float.fromBits(random.nextInt())
        val needed = colorizer.width * colorizer.height
        colorizer.draw(map, IntArray(if (random.nextInt(5) > 0) needed else random.nextInt(99)))
        SelfCheck.compare(labelMap(labelSet), map, labelSet, random.nextDouble())
    }

    @Test
    fun views() = fuzz(500) {
        val (width, height) = List(2) { random.nextInt(3000) - 10 }
        val view = ViewGeometry(geometry(), width, height, Framing.entries.random())
        val x = Double.fromBits(random.nextLong())
        val index = view.labelIndex(if (random.nextBoolean()) x else random.nextDouble() * 3000, 5.0, 128, 96)
        check(index in -1 until 128 * 96)
    }

    @Test
    fun descriptionsWithOtherValues() = fuzz(1500) {
        val spec = ModelSpec.parse(mutated(Json.parseToJsonElement(TestSpecs.json())).toString(), TestSpecs.RUNTIME)
        LabelReader(spec.output, ByteBuffer.allocateDirect(spec.output.byteCount))
        SelfCheck.threshold(spec, TestSpecs.spec())
    }

    @Test
    fun descriptionsWithOtherBytes() = fuzz(1000) {
        ModelSpec.parse(String(mutated(TestSpecs.json().toByteArray())), TestSpecs.RUNTIME)
    }

    @Test
    fun modelFiles() {
        val file = ByteArray(3000) { random.nextInt().toByte() }.also { "TFL3".toByteArray().copyInto(it, 4) }
        val digest = MessageDigest.getInstance("SHA-256").digest(file).joinToString("") { "%02x".format(it) }
        val spec = TestSpecs.spec("bytes" to "${file.size}", "sha256" to "\"$digest\"")
        fuzz(1000) {
            val other = if (random.nextInt(10) > 0) mutated(file) else file
            spec.verify(other.inputStream())
            check(other.contentEquals(file)) { "a file that was altered passed" }
        }
    }

    @Test
    fun crashLogs() = filesOfJson("crash_log.json", kept = 1..299) { file ->
        val model = TestSpecs.file(Precision.INT8)
        if (!file.exists()) CrashLog(file, { "phone" }, process = 1).begin(Processor.GPU, model)
        CrashLog(file, { "phone" }, process = 2).attempt(Processor.GPU, model) != null
    }

    @Test
    fun passedChecks() = filesOfJson("passed_checks.json", kept = 0..299) { file ->
        val gpu = Candidate(Processor.GPU, TestSpecs.file(Precision.FLOAT16))
        val checks = PassedChecks(file, { "phone" }, process = 1, { "driver" })
        if (!file.exists()) checks.remember(gpu, gpu.file, PassedCheck(0.99, nanos = 1_000_000))
        checks.find(gpu, gpu.file) != null
    }

    /**
     * @param kept how many of 300 altered files may keep their content; almost all of a pass is its fingerprint
     * @param read writes the file if it is missing, and returns true if it still has its content
     */
    private fun filesOfJson(name: String, kept: IntRange, read: (File) -> Boolean) {
        val file = folder.root.resolve(name)
        assertTrue(read(file))
        val good = file.readBytes()
        val count = (1..300).count {
            file.writeBytes(mutated(good))
            read(file)
        }
        assertTrue("$count", count in kept)
    }

    @Test
    fun reports() {
        val device = DeviceInfo("a", "b", "c", "d", 1, "e", 2, "f", "g")
        val timings = mapOf(Phase.INPUT to Timing(1.0, 2.0, 3))
        val entry = BenchmarkEntry(
            "m", "s", Precision.INT8, Processor.CPU, "2.21.0", 1, 2, 3, 4.0, timings, 0.5, ThermalStatus.NONE, null, "e",
        )
        val json = BenchmarkReport(device, "now", listOf(entry)).toJson()
        fuzz(500) { BenchmarkReport.parse(String(mutated(json.toByteArray()))).toText() }
    }

    /** Runs [times] cases, some of which must succeed and some fail with a [CoreException]. */
    private fun fuzz(times: Int, case: () -> Unit) {
        var results = 0
        for (number in 0 until times) {
            try {
                case()
                results++
            } catch (error: CoreException) {
                check(error.message.orEmpty().length in 20..500) { "case $number: ${error.message}" }
            } catch (error: Throwable) {
                throw AssertionError("case $number", error)
            }
        }
        assertTrue("$results results of $times", results in times / 50..times - times / 50)
    }

    private fun geometry() = FrameGeometry(
        side(), side(), side(), side(), Rotation.entries.random(), random.nextBoolean(), Framing.entries.random(),
    )

    /** Mostly a small value. */
    private fun side(): Int = if (random.nextInt(60) > 0) 1 + random.nextInt(48) else random.nextInt()

    private fun plane(): Plane {
        val size = random.nextInt(5000)
        val buffer = if (random.nextBoolean()) ByteBuffer.allocate(size) else ByteBuffer.allocateDirect(size)
        buffer.position(random.nextInt(buffer.capacity() + 1))
        return Plane(buffer, stride(), stride())
    }

    private fun stride(): Int = if (random.nextInt(9) > 0) random.nextInt(60) else random.nextInt()

    private fun box() = Box(number(), number(), number(), number())

    private fun number(): Double =
        if (random.nextBoolean()) random.nextDouble() * 40 else Double.fromBits(random.nextLong())

    private fun labelMap(labelSet: LabelSet): LabelMap {
        val map = LabelMap(mapSide(), mapSide())
        val isHonest = random.nextInt(9) > 0
        for (index in map.labels.indices) {
            map.labels[index] = if (isHonest) random.nextInt(labelSet.size) else random.nextInt()
        }
        return map
    }

    private fun mapSide(): Int = if (random.nextInt(20) > 0) 6 else 1 + random.nextInt(9)

    private fun mutated(content: ByteArray): ByteArray {
        var bytes = content.copyOf()
        repeat(1 + random.nextInt(2)) {
            val at = random.nextInt(maxOf(bytes.size, 1))
            bytes = when (random.nextInt(12)) {
                0 -> bytes.copyOf(at)
                1 -> bytes.copyOfRange(0, at) + random.nextInt().toByte() + bytes.copyOfRange(at, bytes.size)
                2 -> bytes + bytes.copyOfRange(at, bytes.size)
                else -> bytes.also { if (at < it.size) it[at] = random.nextInt().toByte() }
            }
        }
        return bytes
    }

    /** Returns the JSON with one mutated value. */
    private fun mutated(element: JsonElement): JsonElement {
        if (element is JsonObject && element.isNotEmpty() && random.nextInt(12) > 0) {
            val name = element.keys.random()
            return if (random.nextInt(12) == 0) JsonObject(element - name) else element.with(name)
        }
        if (element is JsonArray && element.isNotEmpty() && random.nextInt(12) > 0) {
            val index = random.nextInt(element.size)
            return JsonArray(element.mapIndexed { at, each -> if (at == index) mutated(each) else each })
        }
        return STRANGE.random()
    }

    private fun JsonObject.with(name: String) = JsonObject(this + (name to mutated(getValue(name))))

    private fun <T> Collection<T>.random(): T = elementAt(random.nextInt(size))

    private companion object {
        val STRANGE = listOf(
            JsonNull, JsonObject(emptyMap()), JsonArray(emptyList()), JsonPrimitive(true), JsonPrimitive(""),
            JsonPrimitive("\u0000"), JsonPrimitive("x".repeat(5000)), JsonPrimitive(-1), JsonPrimitive(0),
            JsonPrimitive(1), JsonPrimitive(3), JsonPrimitive(255), JsonPrimitive(1e300), JsonPrimitive(0.5),
            JsonPrimitive(Long.MAX_VALUE), JsonPrimitive(Int.MIN_VALUE), JsonPrimitive("2.17.0"), JsonPrimitive("0"),
            JsonArray(List(3) { JsonPrimitive(7) }), JsonArray(listOf(JsonArray(emptyList()))),
        )
    }
}
