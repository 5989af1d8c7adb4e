package org.kerassegformer.demo.models

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.demo.engine.HostRunners
import org.kerassegformer.demo.engine.ModelLoader
import org.robolectric.RobolectricTestRunner
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.security.MessageDigest

@RunWith(RobolectricTestRunner::class)
class FileModelStoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val bundled = File("src/main/assets/models")
    private val model: ByteArray by lazy { File(bundled, "$STEM.tflite").readBytes() }
    private val json: String by lazy { File(bundled, "$STEM.json").readText() }
    private val imports: File by lazy { File(folder.root, "models") }
    private val hostProbe = LoadProbe { file, location ->
        ModelLoader(HostRunners()).load(file, location, Processor.CPU, 1).close()
    }

    private fun store(
        probe: LoadProbe = hostProbe,
        usableSpace: (File) -> Long = File::getUsableSpace,
        runtime: RuntimeVersion = TEST_RUNTIME,
    ): ModelStore {
        val importFolder = ImportFolder(imports, usableSpace)
        val importer = ModelImporter(importFolder, probe, { runtime })
        return FileModelStore(DirectoryModels(bundled), importFolder, importer, { runtime })
    }

    private fun ModelStore.importNow(documents: List<ImportDocument>, ifTaken: IfTaken = IfTaken.ASK): List<StoredModel> =
        runBlocking { import(documents, ifTaken) }

    private fun document(name: String, bytes: ByteArray) = ImportDocument(name) { ByteArrayInputStream(bytes) }

    private fun pair(stem: String = "mine_int8", bytes: ByteArray = model, text: String = json) =
        listOf(document("$stem.tflite", bytes), document("$stem.json", text.toByteArray()))

    /** The bundled model without its description. */
    private val bare: ByteArray by lazy { model.copyOf(model.size - 12_000) }

    /** Another network: the bundled one with a byte behind it, and its description. */
    private fun other(stem: String = "mine_int8"): List<ImportDocument> {
        val bytes = model + 0
        val text = json.replace(Regex("\"bytes\": \\d+"), "\"bytes\": ${bytes.size}")
            .replace(Regex("\"sha256\": \"\\w+\""), "\"sha256\": \"${sha256(bytes)}\"")
        return pair(stem, bytes, text)
    }

    private fun problem(documents: List<ImportDocument>, store: ModelStore = store()): ImportProblem {
        val before = contents()
        val problem = assertThrows(ModelImportException::class.java) { store.importNow(documents) }.problem
        assertEquals("nothing has changed", before, contents())
        return problem
    }

    private fun contents(): Map<String, Int> =
        imports.walk().filter(File::isFile).associate { it.path to it.readBytes().contentHashCode() }

    @Test
    fun `bundled models are listed as sets`() {
        val listing = store().list()
        assertEquals(mapOf<String, ImportProblem>(), listing.broken)
        val own = listing.models.single()
        assertEquals("b0_camvid", own.name)
        assertFalse(own.imported)
        for (processor in listOf(Processor.CPU, Processor.NNAPI)) {
            val file = own.set.fileFor(processor)!!
            val onDisk = (own.locationOf(file) as ModelLocation.OnDisk).file
            assertEquals("the SHA-256 of ${file.stem}", file.spec.sha256, sha256(onDisk.readBytes()))
        }
    }

    @Test
    fun `a model is imported, persists, and is removed`() {
        val imported = store().importNow(pair()).single()
        assertEquals("mine", imported.name)
        assertTrue(imported.imported)

        val again = store()
        val listed = again.list().models.single { it.imported }
        val location = listed.locationOf(listed.set.files.single()) as ModelLocation.OnDisk
        assertArrayEquals(model, location.file.readBytes())

        again.remove(listed)
        assertFalse(location.file.exists())
        assertEquals(listOf("b0_camvid"), store().list().models.map(StoredModel::name))
    }

    @Test
    fun `the thread is free while TF Lite loads an imported model, and a second import waits for its end`() = runBlocking {
        val loading = CompletableDeferred<Unit>()
        val hanging = CompletableDeferred<Unit>()
        val probe = LoadProbe { _, _ ->
            loading.complete(Unit)
            hanging.await()
        }
        val store = store(probe)
        val first = async { store.import(pair("first_int8")) }
        loading.await()
        assertEquals(listOf("b0_camvid"), store.list().models.map(StoredModel::name))
        val second = async { store.import(pair("second_int8")) }
        yield()
        hanging.complete(Unit)
        assertEquals(listOf("first", "second"), (first.await() + second.await()).map(StoredModel::name))
    }

    @Test
    fun `an import that is cancelled leaves nothing`() = runBlocking {
        val loading = CompletableDeferred<Unit>()
        val probe = LoadProbe { _, _ ->
            loading.complete(Unit)
            awaitCancellation()
        }
        val import = launch { store(probe).import(pair()) }
        loading.await()
        import.cancelAndJoin()
        assertTrue(import.isCancelled)
        assertEquals(emptyMap<String, Int>(), contents())
    }

    @Test
    fun `files of one network form one model`() {
        val npu = File(bundled, "b0_camvid_int8_npu.tflite").readBytes()
        val npuJson = File(bundled, "b0_camvid_int8_npu.json").readText()
        val imported = store().importNow(pair("mine_int8") + pair("mine_int8_npu", npu, npuJson)).single()
        assertEquals(setOf("mine_int8", "mine_int8_npu"), imported.set.files.map { it.stem }.toSet())
    }

    @Test
    fun `a single model and JSON file need not have the same name`() {
        val documents = listOf(document("b0 (1).tflite", model), document("download", json.toByteArray()))
        val stem = store().importNow(documents).single().set.files.single().stem
        assertEquals(json, File(imports, "$stem/$stem.json").readText())
        assertArrayEquals(model, File(imports, "$stem/$stem.tflite").readBytes())
    }

    @Test
    fun `names cannot escape the folder`() {
        store().importNow(pair("../../evil"))
        assertTrue(contents().keys.all { it.startsWith(imports.path) && ".." !in it.removePrefix(imports.path) })
    }

    @Test
    fun `importing again replaces the older file`() {
        store().importNow(pair())
        store().importNow(pair(text = json.replace("\"title\"", "\"subtitle\": \"\", \"title\"")))
        assertEquals(1, store().list().models.count { it.imported })
        assertTrue("subtitle" in File(imports, "mine_int8/mine_int8.json").readText())
    }

    @Test
    fun `a model of ours is imported by its own description`() {
        val imported = store().importNow(listOf(document("b0 street_int8.tflite", model))).single()
        assertEquals("b0_street", imported.name)
        assertEquals(sha256(model), imported.set.files.single().spec.sha256)
        assertEquals(1, store().list().models.count { it.imported })
        val problem = problem(listOf(document("b.tflite", model)), store(usableSpace = { 5_000_000 }))
        assertTrue("$problem", problem is ImportProblem.NoSpace)
    }

    @Test
    fun `another model of the same name replaces none without a question`() {
        store().importNow(pair())
        assertEquals(ImportProblem.NameTaken("mine_int8.tflite", "mine_int8"), problem(other()))

        val both = store().importNow(other(), IfTaken.KEEP_BOTH).single()
        assertEquals("mine_2", both.name)
        assertEquals(listOf("mine", "mine_2"), store().list().models.filter { it.imported }.map { it.name })

        store().importNow(other(), IfTaken.REPLACE)
        val replaced = store().list().models.single { it.name == "mine" }
        assertEquals(sha256(model + 0), replaced.set.files.single().spec.sha256)
        assertEquals("nothing is left of the import", listOf("mine_2_int8", "mine_int8"), imports.list()!!.sorted())
    }

    @Test
    fun `files of another network are kept apart from a model of that name`() {
        val npu = File(bundled, "b0_camvid_int8_npu.tflite").readBytes()
        val npuJson = File(bundled, "b0_camvid_int8_npu.json").readText()
        fun String.of(network: String) = replace("\"precision\":", "\"network\": \"$network\", \"precision\":")
        store().importNow(pair(text = json.of("a")))

        val other = store().importNow(pair("mine_int8_npu", npu, npuJson.of("b"))).single()
        assertEquals("mine_2" to listOf("mine_2_int8_npu"), other.name to other.set.files.map { it.stem })

        val same = store().importNow(pair("mine_int8_npu", npu, npuJson.of("a"))).single()
        assertEquals("mine" to 2, same.name to same.set.files.size)
    }

    @Test
    fun `names that become the same file name are told apart`() {
        store().importNow(pair("street b0_int8") + other("street_b0_int8"))
        assertEquals(listOf("street_b0", "street_b0_2"), store().list().models.filter { it.imported }.map { it.name })
    }

    @Test
    fun `an import of which a part cannot be stored leaves no file`() {
        store().importNow(pair("b_int8"))
        val store = store()
        // The replaced model cannot be moved out of the way.
        File(imports, "b_int8~old").mkdirs()
        File(imports, "b_int8~old/occupied").writeText("")
        val before = imports.list()!!.sorted()
        val failure = assertThrows(ModelImportException::class.java) {
            store.importNow(pair("a_int8") + other("b_int8"), IfTaken.REPLACE)
        }
        assertTrue("${failure.problem}", failure.problem is ImportProblem.NotStored)
        assertEquals(before, imports.list()!!.sorted())
        assertEquals(json, File(imports, "b_int8/b_int8.json").readText())
    }

    @Test
    fun `names with the endings of unfinished imports survive a restart`() {
        store().importNow(pair("b0.new") + other("b0.old"))
        assertEquals(2, store().list().models.count { it.imported })
    }

    @Test
    fun `a model without its JSON file, and vice versa`() {
        val onlyModel = listOf(document("a.tflite", bare))
        assertEquals(ImportProblem.CounterpartMissing("a.tflite", "a.json"), problem(onlyModel))
        assertEquals(ImportProblem.CounterpartMissing("a.json", "a.tflite"), problem(pair("a").drop(1)))
        assertEquals(
            ImportProblem.CounterpartMissing("b.json", "b.tflite"),
            problem(pair("a") + pair("b").drop(1)),
        )
    }

    @Test
    fun `unsupported files`() {
        val jpeg = listOf(document("cat.jpg", byteArrayOf(-1, -40)))
        assertEquals(ImportProblem.UnsupportedFile("cat.jpg"), problem(jpeg))
        assertEquals(
            ImportProblem.NotTfLite("a.tflite"),
            problem(listOf(document("a.tflite", ByteArray(100)), pair()[1])),
        )
        assertTrue(problem(listOf(pair()[0], document("a.json", "no".toByteArray()))) is ImportProblem.BadSpec)
        assertTrue(problem(pair(text = "{}")) is ImportProblem.BadSpec)
        assertTrue(problem(pair(text = json.replace("2.9.0", "2.17.0"))) is ImportProblem.BadSpec)
    }

    @Test
    fun `models are checked against the version of the runtime`() {
        val newer = pair(text = json.replace("2.9.0", "2.17.0"))
        assertTrue(problem(newer) is ImportProblem.BadSpec)
        val runtime = RuntimeVersion(2, 17)
        assertEquals("mine", store(runtime = runtime).importNow(newer).single().name)
        assertEquals(1, store(runtime = runtime).list().models.count { it.imported })
        assertTrue(store().list().broken.getValue("mine_int8") is ImportProblem.BadSpec)
    }

    @Test
    fun `truncated and corrupt files keep the earlier model`() {
        store().importNow(pair())
        val expected = model.size.toLong()
        assertEquals(
            ImportProblem.Truncated("mine_int8.tflite", 1_000_000, expected),
            problem(pair(bytes = model.copyOf(1_000_000))),
        )
        val flipped = model.copyOf().also { it[model.size / 2] = (it[model.size / 2] + 1).toByte() }
        assertEquals(ImportProblem.Corrupt("mine_int8.tflite"), problem(pair(bytes = flipped)))
        assertEquals(ImportProblem.Corrupt("mine_int8.tflite"), problem(pair(bytes = model + 0)))
        assertEquals(1, store().list().models.count { it.imported })
    }

    @Test
    fun `a file with the right checksum that TF Lite cannot load`() {
        val noModel = ByteArray(4096).also { "TFL3".toByteArray().copyInto(it, 4) }
        val described = json.replace(Regex("\"bytes\": \\d+"), "\"bytes\": ${noModel.size}")
            .replace(Regex("\"sha256\": \"\\w+\""), "\"sha256\": \"${sha256(noModel)}\"")
        assertTrue(problem(pair(bytes = noModel, text = described)) is ImportProblem.DoesNotLoad)
    }

    @Test
    fun `an out-of-memory error is reported like other errors`() {
        val store = store(probe = { _, _ -> throw OutOfMemoryError("Too big.") })
        assertEquals(ImportProblem.DoesNotLoad("mine_int8.tflite", "Too big."), problem(pair(), store))
    }

    @Test
    fun `unreadable documents`() {
        val gone = ImportDocument("gone.tflite") { throw IOException("Gone.") }
        assertEquals(ImportProblem.Unreadable("gone.tflite", "Gone."), problem(listOf(gone)))
        val forbidden = ImportDocument("a.tflite") { throw SecurityException("No permission.") }
        assertEquals(ImportProblem.Unreadable("a.tflite", "No permission."), problem(listOf(forbidden)))
        val breaking = ImportDocument("mine_int8.tflite") { BreakingStream(model, after = 100_000) }
        assertEquals(
            ImportProblem.Unreadable("mine_int8.tflite", "The cloud is away."),
            problem(listOf(breaking, pair()[1])),
        )
    }

    @Test
    fun `an endless document is only read up to the expected size`() {
        val endless = ImportDocument("mine_int8.tflite") { EndlessStream(model) }
        assertEquals(ImportProblem.Corrupt("mine_int8.tflite"), problem(listOf(endless, pair()[1])))
    }

    @Test
    fun `a full disk is reported with the needed and the free space, and keeps the earlier model`() {
        store().importNow(pair())
        val problem = problem(pair(), store(usableSpace = { 1_000_000 })) as ImportProblem.NoSpace
        assertEquals(1_000_000, problem.freeBytes)
        assertTrue(problem.neededBytes > model.size)
        assertEquals(1, store().list().models.count { it.imported })
    }

    @Test
    fun `a disk that fills up while copying is reported as full`() {
        imports.writeText("What cannot be written to.")
        var asked = 0
        val full = store(usableSpace = { if (asked++ == 0) 1L shl 40 else 0 })
        val problem = assertThrows(ModelImportException::class.java) { full.importNow(pair()) }.problem
        assertEquals(0, (problem as ImportProblem.NoSpace).freeBytes)
    }

    @Test
    fun `a location that is not writable is reported`() {
        imports.writeText("A file where the folder should be.")
        val problem = assertThrows(ModelImportException::class.java) { store().importNow(pair()) }.problem
        assertTrue("$problem", problem is ImportProblem.NotStored)
    }

    @Test
    fun `an import interrupted by process death is discarded`() {
        File(imports, "mine_int8~new").mkdirs()
        File(imports, "mine_int8~new/mine_int8.tflite").writeText("half")
        val restarted = store()
        assertEquals(0, restarted.list().models.count { it.imported })
        assertFalse(File(imports, "mine_int8~new").exists())
    }

    @Test
    fun `a replacement interrupted by process death keeps the earlier model`() {
        store().importNow(pair())
        assertTrue(File(imports, "mine_int8").renameTo(File(imports, "mine_int8~old")))
        assertEquals(1, store().list().models.count { it.imported })
    }

    @Test
    fun `an imported file that was damaged later is reported`() {
        store().importNow(pair())
        File(imports, "mine_int8/mine_int8.tflite").writeBytes(model.copyOf(10))
        val listing = store().list()
        assertEquals(0, listing.models.count { it.imported })
        assertEquals(
            mapOf<String, ImportProblem>(
                "mine_int8" to ImportProblem.Truncated("mine_int8.tflite", 10, model.size.toLong()),
            ),
            listing.broken,
        )
        store().importNow(pair())
        assertEquals(1, store().list().models.count { it.imported })
    }

    @Test
    fun `bundled models cannot be removed`() {
        val own = store().list().models.first()
        assertThrows(IllegalArgumentException::class.java) { store().remove(own) }
    }

    private fun sha256(bytes: ByteArray) =
        MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

    private class BreakingStream(private val bytes: ByteArray, private val after: Int) : InputStream() {
        private var position = 0

        override fun read(): Int = throw UnsupportedOperationException()

        override fun read(target: ByteArray, offset: Int, length: Int): Int {
            if (position >= after) throw IOException("The cloud is away.")
            val count = minOf(length, after - position)
            bytes.copyInto(target, offset, position, position + count)
            position += count
            return count
        }
    }

    private class EndlessStream(private val bytes: ByteArray) : InputStream() {
        private var position = 0

        override fun read(): Int = bytes[position++ % bytes.size].toInt() and 0xff

        override fun read(target: ByteArray, offset: Int, length: Int): Int {
            for (index in offset until offset + length) target[index] = read().toByte()
            return length
        }
    }

    private companion object {
        const val STEM = "b0_camvid_int8"
    }
}
