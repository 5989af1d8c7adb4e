package org.kerassegformer.demo.engine

import android.content.res.AssetManager
import org.kerassegformer.demo.models.ModelLocation
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/**
 * Maps a `.tflite` file into memory. Assets must lie in the APK uncompressed.
 *
 * @throws java.io.IOException it is not there, or cannot be mapped
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
