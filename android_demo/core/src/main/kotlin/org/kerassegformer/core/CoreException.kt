package org.kerassegformer.core

/** What went wrong, in words that name the remedy; the subclasses also name it for programs. */
public sealed class CoreException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** Why a model or its description cannot be used. */
public enum class ModelFault {
    /** The description is no JSON, or no JSON object. */
    NOT_JSON,

    /** The description lacks a field. */
    MISSING_FIELD,

    /** A field of the description has a wrong type or an absurd value. */
    BAD_FIELD,

    /** The model needs a newer TF Lite than the app has. */
    RUNTIME_TOO_OLD,

    /** The model's file is no TF Lite file. */
    NOT_TFLITE,

    /** The model's file is shorter or longer than its description says. */
    WRONG_SIZE,

    /** The model's file is not the one that was described. */
    WRONG_CHECKSUM,
}

/** A model or its description that cannot be used, and why. */
public class ModelException(public val fault: ModelFault, message: String, cause: Throwable? = null) :
    CoreException(message, cause)

/** Why a frame or a picture cannot be used. */
public enum class FrameFault {
    /** Width, height, stride or rotation is out of range. */
    BAD_SHAPE,

    /** The frame has another size than the geometry that it is converted with. */
    OTHER_SIZE,

    /** A buffer holds fewer bytes than the frame's shape needs. */
    BUFFER_TOO_SMALL,

    /** A buffer is of a kind that TF Lite does not take. */
    BAD_BUFFER,
}

/** A frame or a picture that cannot be used, and why. */
public class FrameException(public val fault: FrameFault, message: String) : CoreException(message)

/** Why labels cannot be used. */
public enum class LabelFault {
    /** The map has another size than expected. */
    OTHER_SIZE,

    /** A label is no class of the label set: the processor computed wrongly, or the description is another model's. */
    UNKNOWN_CLASS,
}

/** A label map that cannot be used, and why. */
public class LabelException(public val fault: LabelFault, message: String) : CoreException(message)
