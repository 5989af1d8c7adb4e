package org.kerassegformer.demo.models

import org.kerassegformer.core.ModelException
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSet
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.RuntimeVersion
import java.io.IOException

/**
 * Bundled models, and imported ones in a folder.
 *
 * @param imports folder of the imported models
 * @param importer imports new ones
 * @param runtime returns the version of TF Lite, null if unknown; called on the thread of the store
 */
internal class FileModelStore(
    private val bundled: BundledModels,
    private val imports: ImportFolder,
    private val importer: ModelImporter,
    private val runtime: () -> RuntimeVersion?,
) : ModelStore {
    override fun list(): ModelListing {
        val own = readAll(bundled.stems(), bundled::json, bundled::location)
        val users = readAll(imports.stems(), imports::json) { ModelLocation.OnDisk(imports.model(it)) }
        // Checks the length only: reading all bytes at each start would be slow, and TF Lite checks the structure.
        val (whole, cut) = users.found.partition { imports.model(it.file.stem).length() == it.file.spec.bytes }
        val truncated = cut.associate { it.file.stem to imports.truncation(it.file) }
        return ModelListing(
            group(own.found, imported = false) + group(whole, imported = true),
            own.broken + users.broken + truncated,
        )
    }

    override suspend fun import(documents: List<ImportDocument>, ifTaken: IfTaken): List<StoredModel> {
        val stems = importer.import(documents, ifTaken)
        return list().models.filter { model -> model.imported && model.set.files.any { it.stem in stems } }
    }

    override fun remove(model: StoredModel) {
        require(model.imported) { "The model ${model.name} is bundled with the app and cannot be removed." }
        model.set.files.forEach { imports.remove(it.stem) }
    }

    private fun readAll(
        stems: List<String>,
        json: (String) -> String,
        location: (String) -> ModelLocation,
    ): Found {
        val found = mutableListOf<Located>()
        val broken = mutableMapOf<String, ImportProblem>()
        for (stem in stems) {
            try {
                found += Located(ModelFile(stem, ModelSpec.parse(json(stem), runtime())), location(stem))
            } catch (failure: ModelException) {
                broken[stem] = ImportProblem.BadSpec("$stem.json", failure.message.orEmpty())
            } catch (failure: IOException) {
                broken[stem] = ImportProblem.Unreadable("$stem.json", failure.message ?: failure.toString())
            }
        }
        return Found(found, broken)
    }

    private fun group(files: List<Located>, imported: Boolean): List<StoredModel> {
        val locations = files.associate { it.file.stem to it.location }
        return ModelSet.group(files.map(Located::file)).map { set ->
            StoredModel(set, set.files.associate { it.stem to locations.getValue(it.stem) }, imported)
        }
    }

    private fun ImportFolder.truncation(file: ModelFile) =
        ImportProblem.Truncated("${file.stem}.tflite", model(file.stem).length(), file.spec.bytes)

    private class Located(val file: ModelFile, val location: ModelLocation)

    private class Found(val found: List<Located>, val broken: Map<String, ImportProblem>)
}
