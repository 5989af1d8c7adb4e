package org.kerassegformer.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test

/** The whole pipeline from camera frame to mask with the bundled model, compared with Keras. */
class RealModelTest {
    private val folder = File(System.getProperty("host.model") ?: "build/host_model")

    @Before
    fun requireTheModel() {
        val isThere = folder.resolve("b0_camvid_float32.tflite").isFile
        val reason = "Skipped: no model in $folder; make it with python android_demo/tools/host_model.py"
        if (!isThere) println(reason)
        assumeTrue(reason, isThere)
    }

    @Test
    fun floatsToLabelsAtAQuarterOfTheSize() {
        val (spec, map) = segment("b0_camvid_float16")
        assertEquals(TensorType.FLOAT32 to OutputKind.LABELS, spec.input.type to spec.output.kind)
        assertAgrees(words("expected_labels.bin"), map.labels)
    }

    @Test
    fun bytesToLabelsAtFullSizeMatchSegment() {
        val (spec, map) = segment("b0_camvid_float32")
        assertEquals(TensorType.UINT8 to OutputKind.LABELS_FULL, spec.input.type to spec.output.kind)
        assertAgrees(words("expected_labels_full.bin"), map.labels)
    }

    @Test
    fun theMaskHasTheColoursOfTheClasses() {
        val (spec, map) = segment("b0_camvid_float32")
        val pixels = IntArray(map.labels.size)
        LabelColorizer(spec.labelSet, map.width, map.height, map.width, map.height).draw(map, pixels)
        val expected = words("expected_labels_full.bin").map { spec.labelSet.colors[it] }
        assertAgrees(expected.toIntArray(), pixels)
    }

    @Test
    fun upsampledLabelsMatchThoseAtFullSize() {
        val (spec, map) = segment("b0_camvid_float16")
        val pixels = IntArray(16 * map.labels.size)
        LabelColorizer(spec.labelSet, map.width, map.height, 4 * map.width, 4 * map.height).draw(map, pixels)
        val expected = words("expected_labels_full.bin").map { spec.labelSet.colors[it] }
        // Upsampling logits, which the app does not have, moves the borders slightly.
        val agreement = agreement(expected.toIntArray(), pixels)
        assertTrue("agreement $agreement", agreement >= 0.93)
    }

    @Test
    fun theStreetSceneIsRecognised() {
        val (spec, map) = segment("b0_camvid_float16")
        val shares = ClassShares(spec.labelSet).also { it.count(map) }.list()
        assertEquals(listOf("Road", "Building", "Car", "Tree"), shares.take(4).map { it.name })
    }

    @Test
    fun bothFilesPassTheSelfCheckAndWrongLabelsDoNot() {
        val (float16, map) = segment("b0_camvid_float16")
        val threshold = SelfCheck.threshold(float16, float16)
        val result = SelfCheck.compare(map, expectedMap(map), float16.labelSet, threshold)
        assertTrue(result.detail, result.passed)
        val shifted = LabelMap(map.width, map.height).apply {
            for (index in labels.indices) labels[index] = map.labels[(index + 5) % labels.size]
        }
        val rejected = SelfCheck.compare(shifted, map, float16.labelSet, threshold)
        assertTrue(rejected.detail, !rejected.passed)
    }

    private fun segment(stem: String): Pair<ModelSpec, LabelMap> {
        val file = folder.resolve("$stem.tflite")
        val spec = ModelSpec.parse(folder.resolve("$stem.json").readText(), TestSpecs.RUNTIME)
        file.inputStream().use(spec::verify)
        val geometry = Json.parseToJsonElement(folder.resolve("frame.json").readText()).jsonObject.geometry()
        val converter = FrameToInput(geometry, spec.input.type)
        val input = converter.newInput().also { converter.convert(frame(geometry), it) }
        val output = LabelReader.newOutput(spec.output)
        HostTfLite.run(file, input, output)
        return spec to LabelMap(spec.output.width, spec.output.height).also(LabelReader(spec.output, output)::read)
    }

    private fun frame(geometry: FrameGeometry): CameraFrame {
        val (width, height) = geometry.frameWidth to geometry.frameHeight
        val content = ByteBuffer.wrap(folder.resolve("frame.yuv").readBytes())
        fun plane(offset: Int, width: Int) = Plane(content.duplicate().also { it.position(offset) }, width, 1)
        val chroma = width / 2 * (height / 2)
        return CameraFrame(
            width, height,
            plane(0, width), plane(width * height, width / 2), plane(width * height + chroma, width / 2),
        )
    }

    private fun expectedMap(like: LabelMap) =
        LabelMap(like.width, like.height).also { words("expected_labels.bin").copyInto(it.labels) }

    private fun words(name: String): IntArray {
        val words = ByteBuffer.wrap(folder.resolve(name).readBytes()).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer()
        return IntArray(words.remaining()).also(words::get)
    }

    private fun agreement(expected: IntArray, actual: IntArray): Double {
        assertEquals(expected.size, actual.size)
        return expected.indices.count { expected[it] == actual[it] }.toDouble() / expected.size
    }

    private fun assertAgrees(expected: IntArray, actual: IntArray) {
        val agreement = agreement(expected, actual)
        println("agreement with Keras: $agreement")
        assertTrue("agreement $agreement", agreement >= 0.99)
    }
}
