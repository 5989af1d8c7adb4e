package org.kerassegformer.demo.sdk

import org.kerassegformer.demo.RequiresSdk
import org.objectweb.asm.ClassReader
import org.objectweb.asm.Opcodes
import org.objectweb.asm.Type
import org.objectweb.asm.tree.AnnotationNode
import org.objectweb.asm.tree.ClassNode
import org.objectweb.asm.tree.MethodNode

/**
 * Finds the uses of APIs in classes, with the API level that is guaranteed at each use.
 *
 * At the start of a method, the level is that of [RequiresSdk] on the method or its class, or [OLDEST]. For private
 * methods, including bodies of lambdas, it is the minimum over all calls, and for methods of anonymous classes the
 * minimum over the calls of the constructor.
 *
 * @param classes contents of all class files of the app.
 */
internal class ApiUses(classes: List<ByteArray>) {
    private val nodes =
        classes.map { bytes -> ClassNode().also { ClassReader(bytes).accept(it, 0) } }.associateBy { it.name }
    private val starts = HashMap<Member, Int>()

    /** All uses of members outside the app, and of the app's members with [RequiresSdk]. */
    val all: List<Use> = resolve()

    /** Returns the level of [RequiresSdk] on a member of the app, or null. */
    fun marked(member: Member): Int? =
        nodes[member.owner]?.let { node ->
            val method = node.methods.firstOrNull { it.name + it.desc == member.member }
            listOfNotNull(method?.invisibleAnnotations.level(), node.invisibleAnnotations.level()).maxOrNull()
        }

    /** Returns the class outside the app that declares an inherited member, or [owner] itself. */
    fun outside(owner: String, member: String?): String? {
        val node = nodes[owner] ?: return owner
        val own = node.methods.map { it.name + it.desc } + node.fields.map { "${it.name}#${it.desc}" }
        if (member == null || member in own) return null
        return (listOfNotNull(node.superName) + node.interfaces).firstNotNullOfOrNull { outside(it, member) }
    }

    /** Fixed-point iteration: lowers the levels of inferred methods until nothing changes. */
    private fun resolve(): List<Use> {
        val methods = nodes.values.flatMap { node -> node.methods.map { node to it } }
        for ((node, method) in methods) starts[Member(node.name, method.name + method.desc)] = declared(node, method)
        while (true) {
            val uses = methods.flatMap { (node, method) -> usesOf(node, method) }
            if (!lower(uses)) return uses.distinct()
        }
    }

    private fun usesOf(node: ClassNode, method: MethodNode): List<Use> {
        val start = starts.getValue(Member(node.name, method.name + method.desc))
        if (start == UNREACHED) return emptyList()
        val place = "${node.name.substringAfterLast('/')}.${method.name}"
        return SdkGuards(method, start).uses().map { it.copy(place = place) }
    }

    private fun lower(uses: List<Use>): Boolean {
        var changed = false
        fun lowerTo(member: Member, level: Int) {
            val start = starts[member] ?: return
            val floor = maxOf(level, marked(member) ?: OLDEST)
            if (floor < start) changed = true.also { starts[member] = floor }
        }
        for (use in uses) {
            lowerTo(use.member, use.known)
            if (use.member.member?.startsWith("<init>") == true) {
                nodes[use.member.owner]?.let(::ofObjects)?.forEach { lowerTo(it, use.known) }
            }
        }
        return changed
    }

    private fun declared(node: ClassNode, method: MethodNode): Int {
        val member = Member(node.name, method.name + method.desc)
        val isInferred = method.access and Opcodes.ACC_PRIVATE != 0 || member in ofObjects(node)
        return if (isInferred) UNREACHED else marked(member) ?: OLDEST
    }

    /** The instance methods of anonymous classes, which only run after the constructor. */
    private fun ofObjects(node: ClassNode): List<Member> {
        if (node.name.substringAfterLast('$').toIntOrNull() == null) return emptyList()
        val notForAll = Opcodes.ACC_PRIVATE or Opcodes.ACC_STATIC
        return node.methods.filter { it.access and notForAll == 0 }.map { Member(node.name, it.name + it.desc) }
    }

    private fun List<AnnotationNode>?.level(): Int? =
        orEmpty().firstOrNull { it.desc == MARK }?.let { it.values[1] as Int }

    companion object {
        /** The minimum API level of the app. */
        const val OLDEST: Int = 26
        private const val UNREACHED = Int.MAX_VALUE
        private val MARK = Type.getDescriptor(RequiresSdk::class.java)
    }
}
