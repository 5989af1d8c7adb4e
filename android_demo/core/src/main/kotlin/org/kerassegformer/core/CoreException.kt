package org.kerassegformer.core

/** An error with a message that names the remedy. Subclasses have an error code. */
public sealed class CoreException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** Why a model or its description cannot be used. */
public enum class ModelFault {
    /** The description is not JSON, or not a JSON object. */
    NOT_JSON,

    /** The description lacks a field. */
    MISSING_FIELD,

    /** A field of the description has a wrong type or an invalid value. */
    BAD_FIELD,

    /** The model needs a newer TF Lite than the app's. */
    RUNTIME_TOO_OLD,

    /** The model file is not a TF Lite file. */
    NOT_TFLITE,

    /** The size of the model file differs from the description. */
    WRONG_SIZE,

    /** The checksum of the model file differs from the description. */
    WRONG_CHECKSUM,
}

/** Thrown if a model or its description cannot be used. */
public class ModelException(public val fault: ModelFault, message: String, cause: Throwable? = null) :
    CoreException(message, cause)

/** Why a frame or an image cannot be used. */
public enum class FrameFault {
    /** Width, height, stride or rotation is out of range. */
    BAD_SHAPE,

    /** The size of the frame differs from the geometry. */
    OTHER_SIZE,

    /** A buffer is too small for the shape of the frame. */
    BUFFER_TOO_SMALL,

    /** TF Lite does not support this kind of buffer. */
    BAD_BUFFER,
}

/** Thrown if a frame or an image cannot be used. */
public class FrameException(public val fault: FrameFault, message: String) : CoreException(message)

/** Why labels cannot be used. */
public enum class LabelFault {
    /** The map has an unexpected size. */
    OTHER_SIZE,

    /** A label is out of range: the processor computed wrong results, or the description belongs to another model. */
    UNKNOWN_CLASS,
}

/** Thrown if a label map cannot be used. */
public class LabelException(public val fault: LabelFault, message: String) : CoreException(message)
