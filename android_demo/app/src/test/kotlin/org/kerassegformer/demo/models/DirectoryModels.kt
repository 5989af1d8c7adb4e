package org.kerassegformer.demo.models

import java.io.File

/** Models in a folder in place of the app's assets. */
internal class DirectoryModels(private val folder: File = File("src/main/assets/models")) : BundledModels {
    override fun stems(): List<String> = stemsOfPairs(folder.list().orEmpty().asList())

    override fun json(stem: String): String = File(folder, "$stem.json").readText()

    override fun location(stem: String): ModelLocation = ModelLocation.OnDisk(File(folder, "$stem.tflite"))
}
