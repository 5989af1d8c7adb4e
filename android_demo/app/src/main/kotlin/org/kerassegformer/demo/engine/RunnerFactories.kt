package org.kerassegformer.demo.engine

import android.content.Context

/** Returns what runs models in this build of the app: LiteRT 2 if it is packed, otherwise TF Lite. */
internal fun runnerFactory(context: Context): InferenceRunnerFactory =
    liteRtRunnerFactory(context) ?: TfLiteRunnerFactory.of(context)

/** True if this build runs models with LiteRT 2. */
internal val isLiteRtPacked: Boolean by lazy { liteRtClass() != null }

/** The factory of src/litert, which only the flavour `litert` compiles; null in the others. */
internal fun liteRtRunnerFactory(context: Context): InferenceRunnerFactory? =
    liteRtClass()?.getDeclaredConstructor(Context::class.java)?.newInstance(context) as InferenceRunnerFactory?

private fun liteRtClass(): Class<*>? = try {
    Class.forName("org.kerassegformer.demo.engine.LiteRtRunnerFactory")
} catch (_: ClassNotFoundException) {
    null
}
