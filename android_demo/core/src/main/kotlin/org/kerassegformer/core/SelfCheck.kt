package org.kerassegformer.core

import java.util.Locale

/**
 * What a comparison on a picture found.
 *
 * @property agreement share 0..1 of the labels that are the same
 * @property threshold the least that is accepted
 * @property vanished names of classes that the CPU sees and the accelerator never
 */
public data class SelfCheckResult(
    public val agreement: Double,
    public val threshold: Double,
    public val vanished: List<String>,
) {
    public val passed: Boolean get() = agreement >= threshold && vanished.isEmpty()

    /** With the figures, for the HUD and [AttemptMemory]. */
    public val detail: String
        get() {
            val figures = String.format(
                Locale.ROOT,
                "agrees with the CPU in %.1f %% of the labels, %.1f %% needed",
                100 * agreement,
                100 * threshold,
            )
            return if (vanished.isEmpty()) figures else "$figures; does not see ${vanished.joinToString()}"
        }
}

/** Holds an accelerator's labels of a picture against the CPU's: it may run everything and still compute nonsense. */
public object SelfCheck {
    private const val FLOAT_WORST = 0.99
    private const val INTEGER_WORST = 0.9

    /** For the accelerator's own arithmetic, and for pictures that are harder than those of the converter. */
    private const val MARGIN = 0.01

    /** However bad a file is, labels that are mostly noise do not pass. */
    private const val LEAST = 0.8

    /** Share of the CPU's labels from which on a class cannot vanish by chance. */
    private const val SEEN = 0.01

    /**
     * The least agreement to ask for, from the worst agreement of each file with the float network.
     *
     * Where two files each differ from that in some labels, they differ from each other in no more than both together.
     * If both are the same file, what remains is arithmetic, which may cost as much as the file's own rounding.
     */
    public fun threshold(accelerated: ModelSpec, reference: ModelSpec): Double {
        val difference = (1 - worst(accelerated)) +
            if (accelerated.sha256 == reference.sha256) 0.0 else 1 - worst(reference)
        return (1 - difference - MARGIN).coerceAtLeast(LEAST)
    }

    /**
     * Compares the labels of the same picture. A label of the accelerator that is no class agrees with nothing.
     *
     * @throws LabelException the maps differ in size, or the CPU's labels are no classes
     */
    public fun compare(
        accelerated: LabelMap,
        reference: LabelMap,
        labelSet: LabelSet,
        threshold: Double,
    ): SelfCheckResult {
        accelerated.checkSize(reference.width, reference.height)
        val total = reference.labels.size
        val shares = ClassShares(labelSet).also { it.count(reference) }
        val same = reference.labels.indices.count { reference.labels[it] == accelerated.labels[it] }
        val seen = accelerated.labels.toSet()
        val vanished = labelSet.names.indices.filter { shares.count(it) >= SEEN * total && it !in seen }
            .map(labelSet.names::get)
        return SelfCheckResult(same.toDouble() / total, threshold, vanished)
    }

    private fun worst(spec: ModelSpec): Double =
        spec.fidelity?.worstAgreement ?: if (spec.precision.isInteger) INTEGER_WORST else FLOAT_WORST
}
