package org.kerassegformer.demo.pictures

/** Why an image of the user cannot be displayed. Each has its own message on the screen. */
internal enum class PictureProblem {
    /** The document or the permission to read it no longer exists. */
    MISSING,

    /** Damaged, truncated, or not an image. */
    CORRUPT,

    /** Not enough memory. */
    TOO_LARGE,
}

/** Thrown if an image cannot be displayed. */
internal class PictureException(val problem: PictureProblem, cause: Throwable? = null) :
    Exception("The image cannot be displayed: ${problem.name.lowercase()}.", cause)
