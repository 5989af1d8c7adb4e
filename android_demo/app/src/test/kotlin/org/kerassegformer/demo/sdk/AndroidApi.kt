package org.kerassegformer.demo.sdk

import org.codehaus.mojo.animal_sniffer.Clazz
import org.codehaus.mojo.animal_sniffer.SignatureChecker
import java.io.InputStream

/**
 * The API of the minimum Android version.
 *
 * @param signatures a signature file of animal-sniffer.
 */
internal class AndroidApi(signatures: InputStream) {
    private val classes: Map<String, Clazz> = signatures.use { SignatureChecker.loadClasses(it) }

    /**
     * Returns true if a member exists.
     *
     * @param owner internal name of the class, such as `android/os/PowerManager`.
     * @param member name and descriptor of a method, `name#descriptor` of a field, or null for the class itself.
     */
    fun has(owner: String, member: String?): Boolean {
        if (owner.startsWith("[")) return true
        val found = classes[owner] ?: return false
        if (member == null || member in found.signatures) return true
        val above = listOfNotNull(found.superClass) + found.superInterfaces.orEmpty()
        return above.any { has(it, member) }
    }
}
