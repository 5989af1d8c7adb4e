package org.kerassegformer.core

import java.io.File
import java.nio.ByteBuffer
import org.bytedeco.javacpp.BytePointer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterAllocateTensors
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetInputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetOutputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterInvoke
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsSetNumThreads
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreateFromFile
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer

/**
 * Runs a `.tflite` file on the host by TF Lite's functions for C, which add no XNNPACK. The tests of this module are about
 * what comes before and after the network; those of the app run it as the app does, with its `CpuRunner`.
 */
internal object HostTfLite {
    private const val OK = 0

    fun run(file: File, input: ByteBuffer, output: ByteBuffer) {
        val model = checkNotNull(TfLiteModelCreateFromFile(file.path)) { "TF Lite cannot read $file" }
        val options = TfLiteInterpreterOptionsCreate().also { TfLiteInterpreterOptionsSetNumThreads(it, 2) }
        val interpreter = checkNotNull(TfLiteInterpreterCreate(model, options)) { "TF Lite cannot run $file" }
        try {
            check(TfLiteInterpreterAllocateTensors(interpreter) == OK)
            val pixels = TfLiteInterpreterGetInputTensor(interpreter, 0)
            check(TfLiteTensorByteSize(pixels) == input.remaining().toLong())
            check(TfLiteTensorCopyFromBuffer(pixels, BytePointer(input), input.remaining().toLong()) == OK)
            check(TfLiteInterpreterInvoke(interpreter) == OK)
            val labels = TfLiteInterpreterGetOutputTensor(interpreter, 0)
            check(TfLiteTensorByteSize(labels) == output.remaining().toLong())
            check(TfLiteTensorCopyToBuffer(labels, BytePointer(output), output.remaining().toLong()) == OK)
        } finally {
            TfLiteInterpreterDelete(interpreter)
            TfLiteInterpreterOptionsDelete(options)
            TfLiteModelDelete(model)
        }
    }
}
