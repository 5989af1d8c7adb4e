package org.kerassegformer.demo.pictures

import android.media.Image
import android.media.MediaCodec
import android.media.MediaCodecInfo.CodecCapabilities
import android.media.MediaFormat
import android.media.MediaMuxer
import org.kerassegformer.core.EncodedPart
import org.kerassegformer.core.Plane
import org.kerassegformer.core.RecordingEnd
import org.kerassegformer.core.VideoEncoder
import org.kerassegformer.core.VideoFile
import org.kerassegformer.core.VideoRecording
import org.kerassegformer.core.VideoSize
import org.kerassegformer.core.fillYuv
import java.io.File
import java.io.IOException
import java.nio.Buffer

/** Recordings by the platform: H.264 in MP4. */
internal object PlatformVideo : VideoRecordings {
    /** Names the files of videos. */
    const val MIME_TYPE = "video/mp4"

    override fun start(file: File, size: VideoSize, onEnd: (RecordingEnd) -> Unit): VideoRecording<IntArray, *> =
        VideoRecording(CodecEncoder(size), MuxerFile(file), onEnd = onEnd)
}

/**
 * `MediaCodec`, which takes frames as YUV images with times of their own. It is made with the first frame, so that its
 * failure ends the recording as any other does.
 */
private class CodecEncoder(private val size: VideoSize) : VideoEncoder<IntArray, MediaFormat> {
    private var codec: MediaCodec? = null
    private val info = MediaCodec.BufferInfo()
    private var lastMicros = 0L

    override fun encode(picture: IntArray, micros: Long): Boolean {
        val codec = codec ?: start()
        val index = codec.dequeueInputBuffer(WAIT_MICROS)
        if (index < 0) return false
        val image = checkNotNull(codec.getInputImage(index)) { "The encoder takes no images." }
        val (y, u, v) = image.planes.map { it.asPlane() }
        fillYuv(picture, size, y, u, v)
        codec.queueInputBuffer(index, 0, size.width * size.height * 3 / 2, micros, 0)
        lastMicros = micros
        return true
    }

    override fun drain(atEnd: Boolean, receive: (EncodedPart<MediaFormat>) -> Unit) {
        val codec = codec ?: return
        if (atEnd) {
            val index = codec.dequeueInputBuffer(END_MICROS)
            if (index < 0) throw IOException("The encoder does not take the end of the video.")
            codec.queueInputBuffer(index, 0, 0, lastMicros + 1, MediaCodec.BUFFER_FLAG_END_OF_STREAM)
        }
        while (true) {
            val index = codec.dequeueOutputBuffer(info, if (atEnd) END_MICROS else 0)
            when {
                index == MediaCodec.INFO_OUTPUT_FORMAT_CHANGED -> receive(EncodedPart.Format(codec.outputFormat))
                index >= 0 -> if (pass(codec, index, receive)) return
                !atEnd -> return
                index == MediaCodec.INFO_TRY_AGAIN_LATER -> throw IOException("The encoder does not end the video.")
            }
        }
    }

    /** Passes an output buffer on. @return true at the end of the stream */
    private fun pass(codec: MediaCodec, index: Int, receive: (EncodedPart<MediaFormat>) -> Unit): Boolean {
        val isConfig = info.flags and MediaCodec.BUFFER_FLAG_CODEC_CONFIG != 0 // which the format has as well
        if (info.size > 0 && !isConfig) {
            val data = checkNotNull(codec.getOutputBuffer(index))
            data.narrow(info.offset, info.size)
            val isKey = info.flags and MediaCodec.BUFFER_FLAG_KEY_FRAME != 0
            receive(EncodedPart.Sample(data, info.presentationTimeUs, isKey))
        }
        codec.releaseOutputBuffer(index, false)
        return info.flags and MediaCodec.BUFFER_FLAG_END_OF_STREAM != 0
    }

    private fun start(): MediaCodec {
        val made = MediaCodec.createEncoderByType(CODEC)
        codec = made
        val format = MediaFormat.createVideoFormat(CODEC, size.width, size.height).apply {
            setInteger(MediaFormat.KEY_COLOR_FORMAT, CodecCapabilities.COLOR_FormatYUV420Flexible)
            setInteger(MediaFormat.KEY_COLOR_RANGE, MediaFormat.COLOR_RANGE_LIMITED)
            setInteger(MediaFormat.KEY_COLOR_STANDARD, MediaFormat.COLOR_STANDARD_BT601_NTSC)
            setInteger(MediaFormat.KEY_COLOR_TRANSFER, MediaFormat.COLOR_TRANSFER_SDR_VIDEO)
            setInteger(MediaFormat.KEY_BIT_RATE, size.bitRate)
            setInteger(MediaFormat.KEY_FRAME_RATE, FRAME_RATE)
            setInteger(MediaFormat.KEY_I_FRAME_INTERVAL, 1)
        }
        made.configure(format, null, null, MediaCodec.CONFIGURE_FLAG_ENCODE)
        made.start()
        return made
    }

    override fun close() {
        codec?.release()
    }

    private fun Image.Plane.asPlane() = Plane(buffer, rowStride, pixelStride)

    private companion object {
        const val CODEC = MediaFormat.MIMETYPE_VIDEO_AVC

        /** What encoders plan with; frames have times of their own. */
        const val FRAME_RATE = 30
        const val WAIT_MICROS = 10_000L
        const val END_MICROS = 2_000_000L
    }
}

/** By `Buffer`'s methods: `ByteBuffer` has its own since API 28. */
private fun Buffer.narrow(offset: Int, size: Int) {
    limit(offset + size)
    position(offset)
}

/** `MediaMuxer`, into a file of the app that nobody sees before it is complete. */
private class MuxerFile(private val file: File) : VideoFile<MediaFormat> {
    private var muxer: MediaMuxer? = null
    private var track = 0
    private val info = MediaCodec.BufferInfo()

    /** Without the room that the copy in the gallery will take. */
    override val freeBytes: Long get() = checkNotNull(file.parentFile).usableSpace - file.length()

    override fun start(format: MediaFormat) {
        val made = MediaMuxer(file.path, MediaMuxer.OutputFormat.MUXER_OUTPUT_MPEG_4)
        muxer = made
        track = made.addTrack(format)
        made.start()
    }

    override fun write(sample: EncodedPart.Sample) {
        val flags = if (sample.isKey) MediaCodec.BUFFER_FLAG_KEY_FRAME else 0
        info.set(sample.data.position(), sample.data.remaining(), sample.micros, flags)
        checkNotNull(muxer).writeSampleData(track, sample.data, info)
    }

    override fun finish() {
        checkNotNull(muxer).stop()
    }

    override fun close() {
        muxer?.release()
    }

    override fun remove() {
        file.delete()
    }
}
