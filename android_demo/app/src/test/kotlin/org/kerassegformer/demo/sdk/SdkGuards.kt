package org.kerassegformer.demo.sdk

import org.objectweb.asm.Handle
import org.objectweb.asm.Opcodes
import org.objectweb.asm.tree.AbstractInsnNode
import org.objectweb.asm.tree.FieldInsnNode
import org.objectweb.asm.tree.IntInsnNode
import org.objectweb.asm.tree.InvokeDynamicInsnNode
import org.objectweb.asm.tree.JumpInsnNode
import org.objectweb.asm.tree.LookupSwitchInsnNode
import org.objectweb.asm.tree.MethodInsnNode
import org.objectweb.asm.tree.MethodNode
import org.objectweb.asm.tree.TableSwitchInsnNode
import org.objectweb.asm.tree.TypeInsnNode

/**
 * A member of a class.
 *
 * @property owner internal name of the class.
 * @property member name and descriptor of a method, `name#descriptor` of a field, or null for the class itself.
 */
internal data class Member(val owner: String, val member: String?) {
    override fun toString(): String = if (member == null) owner else "$owner.$member"
}

/**
 * A use of a member, where `Build.VERSION.SDK_INT` is guaranteed to be at least [known].
 *
 * @property place class and method.
 */
internal data class Use(val place: String, val member: Member, val known: Int)

/**
 * Data-flow analysis of a method: computes the guaranteed API level at each instruction, which comparisons of `SDK_INT`
 * with constants raise.
 *
 * @param method the code.
 * @param atStart the level at its start.
 */
internal class SdkGuards(private val method: MethodNode, private val atStart: Int) {
    /** All uses in the method, without a place. */
    fun uses(): List<Use> =
        levels().flatMap { (instruction, known) -> members(instruction).map { Use("", it, known) } }

    private fun levels(): Map<AbstractInsnNode, Int> {
        val known = HashMap<AbstractInsnNode, Int>()
        val open = ArrayDeque<Pair<AbstractInsnNode, Int>>()
        method.instructions.first?.let { open += it to atStart }
        while (open.isNotEmpty()) {
            val (instruction, level) = open.removeLast()
            if (level >= (known[instruction] ?: Int.MAX_VALUE)) continue
            known[instruction] = level
            open += successors(instruction, level)
            open += handlers(instruction).map { it to level }
        }
        return known
    }

    private fun handlers(instruction: AbstractInsnNode): List<AbstractInsnNode> {
        val index = method.instructions.indexOf(instruction)
        return method.tryCatchBlocks
            .filter { index in method.instructions.indexOf(it.start) until method.instructions.indexOf(it.end) }
            .map { it.handler }
    }

    private fun successors(instruction: AbstractInsnNode, level: Int): List<Pair<AbstractInsnNode, Int>> =
        when {
            instruction is JumpInsnNode -> afterJump(instruction, level)
            instruction is TableSwitchInsnNode -> (instruction.labels + instruction.dflt).map { it to level }
            instruction is LookupSwitchInsnNode -> (instruction.labels + instruction.dflt).map { it to level }
            instruction.opcode in Opcodes.IRETURN..Opcodes.RETURN || instruction.opcode == Opcodes.ATHROW -> emptyList()
            else -> listOfNotNull(instruction.next?.let { it to level })
        }

    private fun afterJump(jump: JumpInsnNode, level: Int): List<Pair<AbstractInsnNode, Int>> {
        if (jump.opcode == Opcodes.GOTO) return listOf(jump.label to level)
        val compared = comparedSdk(jump)
        val jumped = compared?.let { atLeast(jump.opcode, it) } ?: level
        val fallen = compared?.let { atLeast(OPPOSITES.getValue(jump.opcode), it) } ?: level
        return listOfNotNull(jump.label to maxOf(level, jumped), jump.next?.let { it to maxOf(level, fallen) })
    }

    /** Returns the constant of a comparison with `SDK_INT`, or null. */
    private fun comparedSdk(jump: JumpInsnNode): Int? {
        if (jump.opcode !in OPPOSITES) return null
        val constant = jump.previousInstruction() as? IntInsnNode ?: return null
        val field = constant.previousInstruction() as? FieldInsnNode ?: return null
        return constant.operand.takeIf { field.owner == "android/os/Build\$VERSION" && field.name == "SDK_INT" }
    }

    /** Returns the guaranteed API level if a comparison of `SDK_INT` with [constant] holds. */
    private fun atLeast(comparison: Int, constant: Int): Int? =
        when (comparison) {
            Opcodes.IF_ICMPGE, Opcodes.IF_ICMPEQ -> constant
            Opcodes.IF_ICMPGT -> constant + 1
            else -> null
        }

    private fun members(instruction: AbstractInsnNode): List<Member> =
        when (instruction) {
            is MethodInsnNode -> listOf(Member(instruction.owner, instruction.name + instruction.desc))
            is FieldInsnNode -> listOf(Member(instruction.owner, "${instruction.name}#${instruction.desc}"))
            is TypeInsnNode -> listOf(Member(instruction.desc, null))
            is InvokeDynamicInsnNode -> instruction.bsmArgs.filterIsInstance<Handle>().map(::memberOf)
            else -> emptyList()
        }

    private fun memberOf(handle: Handle) = Member(handle.owner, handle.name + handle.desc)

    private fun AbstractInsnNode.previousInstruction(): AbstractInsnNode? =
        generateSequence(previous) { it.previous }.firstOrNull { it.opcode >= 0 }

    private companion object {
        val OPPOSITES =
            mapOf(
                Opcodes.IF_ICMPGE to Opcodes.IF_ICMPLT,
                Opcodes.IF_ICMPLT to Opcodes.IF_ICMPGE,
                Opcodes.IF_ICMPGT to Opcodes.IF_ICMPLE,
                Opcodes.IF_ICMPLE to Opcodes.IF_ICMPGT,
                Opcodes.IF_ICMPEQ to Opcodes.IF_ICMPNE,
                Opcodes.IF_ICMPNE to Opcodes.IF_ICMPEQ,
            )
    }
}
