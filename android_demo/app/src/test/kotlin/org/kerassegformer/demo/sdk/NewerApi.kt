package org.kerassegformer.demo.sdk

/**
 * Compares the APIs that an app uses with those of the minimum Android version.
 *
 * @param uses used members.
 * @param api members of the minimum version.
 * @param newer members that the minimum version lacks, with the API level that added them.
 */
internal class NewerApi(private val uses: ApiUses, private val api: AndroidApi, private val newer: Map<String, Int>) {
    private val missing = uses.all.mapNotNull { use -> outside(use)?.let { use.copy(member = it) } }

    /** Describes uses without a sufficient version check, and members that are not listed. */
    fun faults(): List<String> = (missing.mapNotNull(::fault) + uses.all.mapNotNull(::unmarked)).distinct().sorted()

    /** Listed members that are unused or part of the minimum version. */
    fun leftOver(): Set<String> = newer.keys - missing.map { it.member.toString() }.toSet()

    private fun outside(use: Use): Member? {
        val owner = uses.outside(use.member.owner, use.member.member) ?: return null
        if (PLATFORM.none { owner.startsWith(it) } || api.has(owner, use.member.member)) return null
        return Member(owner, use.member.member)
    }

    private fun fault(use: Use): String? {
        val level = newer[use.member.toString()]
            ?: return "${use.place}: ${use.member} is not part of Android ${ApiUses.OLDEST} and not listed"
        return tooEarly(use, level)
    }

    private fun unmarked(use: Use): String? = uses.marked(use.member)?.let { tooEarly(use, it) }

    private fun tooEarly(use: Use, level: Int): String? =
        "${use.place}: ${use.member} ($level) is used where only ${use.known} is guaranteed"
            .takeIf { use.known < level }

    companion object {
        private val PLATFORM = listOf("android/", "java/", "javax/")

        /** Parses lines of a level and a member; skips empty lines and comments (`#`). */
        fun readList(text: String): Map<String, Int> =
            text.lines().filter { it.isNotBlank() && !it.startsWith("#") }.associate { line ->
                val (level, member) = line.split(' ', limit = 2)
                member to level.toInt()
            }
    }
}
