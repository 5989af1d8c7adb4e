package org.kerassegformer.demo.sdk

/**
 * Compares what an app uses with what the oldest Android has.
 *
 * @param uses what it uses.
 * @param api what there is.
 * @param newer members that the oldest Android lacks, with the API level that has them.
 */
internal class NewerApi(private val uses: ApiUses, private val api: AndroidApi, private val newer: Map<String, Int>) {
    private val missing = uses.all.mapNotNull { use -> outside(use)?.let { use.copy(member = it) } }

    /** Uses that may run on an Android without the member, and members that are not listed; a sentence for each. */
    fun faults(): List<String> = (missing.mapNotNull(::fault) + uses.all.mapNotNull(::unmarked)).distinct().sorted()

    /** Listed members that nothing uses, or that the oldest Android has. */
    fun leftOver(): Set<String> = newer.keys - missing.map { it.member.toString() }.toSet()

    private fun outside(use: Use): Member? {
        val owner = uses.outside(use.member.owner, use.member.member) ?: return null
        if (PLATFORM.none { owner.startsWith(it) } || api.has(owner, use.member.member)) return null
        return Member(owner, use.member.member)
    }

    private fun fault(use: Use): String? {
        val level = newer[use.member.toString()]
            ?: return "${use.place}: ${use.member} is not part of Android ${ApiUses.OLDEST}, and not listed"
        return tooEarly(use, level)
    }

    private fun unmarked(use: Use): String? = uses.marked(use.member)?.let { tooEarly(use, it) }

    private fun tooEarly(use: Use, level: Int): String? =
        "${use.place}: ${use.member} ($level) is reached where only ${use.known} is known".takeIf { use.known < level }

    companion object {
        private val PLATFORM = listOf("android/", "java/", "javax/")

        /** Reads lines of a level and a member; empty lines and those that start with `#` are skipped. */
        fun readList(text: String): Map<String, Int> =
            text.lines().filter { it.isNotBlank() && !it.startsWith("#") }.associate { line ->
                val (level, member) = line.split(' ', limit = 2)
                member to level.toInt()
            }
    }
}
