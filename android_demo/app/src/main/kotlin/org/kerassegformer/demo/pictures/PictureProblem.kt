package org.kerassegformer.demo.pictures

/** Why a picture of the user cannot be shown. Each has its own message and remedy on the screen. */
internal enum class PictureProblem {
    /** The document is gone, or the right to read it. */
    MISSING,

    /** Damaged, cut off, or no picture. */
    BROKEN,

    /** Not enough memory for it. */
    TOO_LARGE,
}

/** A picture that cannot be shown, and why. */
internal class PictureException(val problem: PictureProblem, cause: Throwable? = null) :
    Exception("The picture cannot be shown: ${problem.name.lowercase()}.", cause)
