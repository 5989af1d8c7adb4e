package org.kerassegformer.demo.engine

import android.content.res.AssetManager
import org.kerassegformer.demo.models.ModelLocation
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/**
 * Memory-maps a `.tflite` file. Assets must be stored uncompressed in the APK.
 *
 * @throws java.io.IOException the file is missing or cannot be mapped
 */
internal fun mapModel(assets: AssetManager, location: ModelLocation): ByteBuffer = when (location) {
    is ModelLocation.Asset -> assets.openFd(location.path).use { asset ->
        FileInputStream(asset.fileDescriptor).use {
            it.channel.map(FileChannel.MapMode.READ_ONLY, asset.startOffset, asset.declaredLength)
        }
    }
    is ModelLocation.OnDisk -> FileInputStream(location.file).use {
        it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.channel.size())
    }
}
