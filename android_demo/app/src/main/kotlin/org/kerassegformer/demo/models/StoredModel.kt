package org.kerassegformer.demo.models

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSet
import java.io.File

/**
 * An available model.
 *
 * @property set its files for the different processors
 * @property locations location of each file of [set], by stem
 * @property imported true if the user imported it and may remove it
 */
internal class StoredModel(
    val set: ModelSet,
    private val locations: Map<String, ModelLocation>,
    val imported: Boolean,
) {
    init {
        val missing = set.files.map(ModelFile::stem) - locations.keys
        require(missing.isEmpty()) { "The locations of $missing of the model ${set.name} are missing." }
    }

    /** Name such as `b0_camvid`; unique together with [imported]. */
    val name: String get() = set.name

    /** Returns the location of a file of [set]. */
    fun locationOf(file: ModelFile): ModelLocation = locations.getValue(file.stem)

    override fun toString(): String = if (imported) "$name (imported)" else name
}

/** Location of a `.tflite` file. */
internal sealed interface ModelLocation {
    /** An asset of the app. */
    data class Asset(val path: String) : ModelLocation

    /** A file on disk. */
    data class OnDisk(val file: File) : ModelLocation
}
