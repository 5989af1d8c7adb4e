package org.kerassegformer.demo

/**
 * Marks code that needs a newer Android version and is called from several places.
 *
 * A test fails for callers that do not compare `Build.VERSION.SDK_INT` with [value] first.
 *
 * @property value the required API level, such as `Build.VERSION_CODES.Q`.
 */
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION, AnnotationTarget.CONSTRUCTOR)
@Retention(AnnotationRetention.BINARY)
public annotation class RequiresSdk(val value: Int)
