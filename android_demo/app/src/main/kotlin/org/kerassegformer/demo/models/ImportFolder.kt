package org.kerassegformer.demo.models

import java.io.File
import java.io.IOException

/**
 * Where imported models lie: a folder for each, with its two files, so that both are replaced by one renaming.
 *
 * Folders that end in [NEW] are not finished, those in [OLD] are being replaced. An app that dies in between leaves
 * them behind; they are put right when the next [ImportFolder] is made.
 *
 * @param usableSpace bytes that can still be written to a folder
 */
internal class ImportFolder(private val root: File, private val usableSpace: (File) -> Long = File::getUsableSpace) {
    init {
        root.listFiles().orEmpty().forEach(::recover)
    }

    /** Bytes that can still be written here. */
    val freeBytes: Long get() = usableSpace(root.takeIf(File::exists) ?: root.parentFile ?: root)

    /** Stems of the models, sorted. */
    fun stems(): List<String> =
        root.listFiles().orEmpty().filter { it.isDirectory && !it.isUnfinished }.map(File::getName).sorted()

    fun json(stem: String): String = File(File(root, stem), "$stem.json").readText()

    fun model(stem: String): File = File(File(root, stem), "$stem.tflite")

    /** An empty folder in which to make a model that [commit] then puts in place. @throws IOException no such folder */
    fun begin(stem: String): File {
        val folder = File(root, stem + NEW)
        folder.deleteRecursively()
        if (!folder.mkdirs()) throw IOException("The folder ${folder.path} cannot be made.")
        return folder
    }

    /** Deletes what was begun. */
    fun discard(stem: String) {
        File(root, stem + NEW).deleteRecursively()
    }

    /** Puts the folder of [begin] in the place of the model of that name, if there is one. @throws IOException */
    fun commit(stem: String) {
        val place = File(root, stem)
        val old = File(root, stem + OLD)
        if (place.exists()) place.moveTo(old)
        try {
            File(root, stem + NEW).moveTo(place)
        } catch (failure: IOException) {
            old.renameTo(place)
            throw failure
        }
        old.deleteRecursively()
    }

    /** Removes a model. @throws IOException it cannot be removed */
    fun remove(stem: String) {
        val place = File(root, stem)
        if (place.exists() && !place.deleteRecursively()) {
            throw IOException("The folder ${place.path} cannot be removed.")
        }
    }

    private fun recover(folder: File) {
        val place = File(root, folder.name.removeSuffix(OLD))
        when {
            folder.name.endsWith(NEW) -> folder.deleteRecursively()
            !folder.name.endsWith(OLD) -> return
            place.exists() -> folder.deleteRecursively()
            else -> folder.renameTo(place)
        }
    }

    private val File.isUnfinished: Boolean get() = name.endsWith(NEW) || name.endsWith(OLD)

    private fun File.moveTo(target: File) {
        if (!renameTo(target)) throw IOException("The folder $path cannot be renamed to ${target.name}.")
    }

    private companion object {
        const val NEW = ".new"
        const val OLD = ".old"
    }
}
