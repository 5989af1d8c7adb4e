package org.kerassegformer.demo.models

import org.kerassegformer.core.RuntimeVersion
import java.io.File

/** Models in a folder in place of the app's assets. */
internal class DirectoryModels(private val folder: File = File("src/main/assets/models")) : BundledModels {
    override fun stems(): List<String> = stemsOfPairs(folder.list().orEmpty().asList())

    override fun json(stem: String): String = File(folder, "$stem.json").readText()

    override fun location(stem: String): ModelLocation = ModelLocation.OnDisk(File(folder, "$stem.tflite"))
}

/** The version of TF Lite that tests use, as the app's own needs a phone. */
internal val TEST_RUNTIME = RuntimeVersion(2, 16, 1)

/** A store with the bundled models, which imports any file. */
internal fun hostModels(imports: ImportFolder): ModelStore {
    val importer = ModelImporter(imports, probe = { _, _ -> }, runtime = { TEST_RUNTIME })
    return FileModelStore(DirectoryModels(), imports, importer, runtime = { TEST_RUNTIME })
}
