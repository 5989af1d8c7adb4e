package org.kerassegformer.core

import java.util.Locale

/**
 * Result of the self-check.
 *
 * @property agreement share 0..1 of equal labels
 * @property threshold minimum agreement
 * @property vanished names of classes that only the CPU predicts
 */
public data class SelfCheckResult(
    public val agreement: Double,
    public val threshold: Double,
    public val vanished: List<String>,
) {
    public val passed: Boolean get() = agreement >= threshold && vanished.isEmpty()

    /** Explanation with the figures, for reports and the [CrashLog]. */
    public val detail: String
        get() {
            val figures = String.format(
                Locale.ROOT,
                "%.1f%% of the labels match the CPU, %.1f%% required",
                100 * agreement,
                100 * threshold,
            )
            return if (vanished.isEmpty()) figures else "$figures; does not detect ${vanished.joinToString()}"
        }
}

/**
 * Compares an accelerator's labels with the CPU's: a delegate may run every operation and still return wrong results.
 */
public object SelfCheck {
    private const val FLOAT_WORST = 0.99
    private const val INTEGER_WORST = 0.9

    /** Tolerance for the accelerator's arithmetic, and for images that are harder than the converter's. */
    private const val MARGIN = 0.01

    /** Lower bound of the threshold, even for an inaccurate file. */
    private const val LEAST = 0.8

    /** Minimum share of a class in the CPU's labels above which it must not vanish. */
    private const val SEEN = 0.01

    /**
     * Returns the minimum agreement, derived from the worst agreement of each file with the float network.
     *
     * By the triangle inequality, two files differ from each other at most by the sum of their differences from the
     * float network. If both are the same file, only the arithmetic differs, for which the file's own rounding is the
     * bound.
     */
    public fun threshold(accelerated: ModelSpec, reference: ModelSpec): Double {
        val difference = (1 - worst(accelerated)) +
            if (accelerated.sha256 == reference.sha256) 0.0 else 1 - worst(reference)
        return (1 - difference - MARGIN).coerceAtLeast(LEAST)
    }

    /**
     * Compares the labels of the same image. Out-of-range labels of the accelerator count as mismatches.
     *
     * @throws LabelException the maps differ in size, or the CPU's labels are out of range
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
