package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import java.io.File
import java.io.FileInputStream
import java.nio.channels.FileChannel

/** The CPU runner of the app on the host, for any processor. */
internal class HostRunners(private val assets: File = File("src/main/assets")) : InferenceRunnerFactory {
    override fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner {
        val model = FileInputStream(fileOf(location)).use {
            it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.channel.size())
        }
        return CpuRunner(model, file.spec, threads)
    }

    override fun discardPrograms(file: ModelFile) = Unit

    private fun fileOf(location: ModelLocation): File = when (location) {
        is ModelLocation.Asset -> File(assets, location.path)
        is ModelLocation.OnDisk -> location.file
    }
}
