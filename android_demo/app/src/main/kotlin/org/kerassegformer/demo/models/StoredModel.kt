package org.kerassegformer.demo.models

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSet
import java.io.File

/**
 * A model that can be chosen.
 *
 * @property set its files, each for another kind of processor
 * @property locations where each file of [set] lies, by its stem
 * @property imported whether the user brought it, and may remove it
 */
internal class StoredModel(
    val set: ModelSet,
    private val locations: Map<String, ModelLocation>,
    val imported: Boolean,
) {
    init {
        val missing = set.files.map(ModelFile::stem) - locations.keys
        require(missing.isEmpty()) { "It is not known where $missing of the model ${set.name} lie." }
    }

    /** Such as `b0_camvid`; unique together with [imported]. */
    val name: String get() = set.name

    /** Where a file of [set] lies. */
    fun locationOf(file: ModelFile): ModelLocation = locations.getValue(file.stem)

    override fun toString(): String = if (imported) "$name (imported)" else name
}

/** Where a `.tflite` file lies. */
internal sealed interface ModelLocation {
    /** In the app's assets, under [path]. */
    data class Asset(val path: String) : ModelLocation

    /** A file of its own. */
    data class OnDisk(val file: File) : ModelLocation
}
