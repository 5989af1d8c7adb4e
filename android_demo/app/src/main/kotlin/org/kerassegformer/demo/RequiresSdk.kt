package org.kerassegformer.demo

/**
 * Marks code for newer Android versions that is called from more than one place.
 *
 * A test refuses callers that do not compare `Build.VERSION.SDK_INT` with [value] first.
 *
 * @property value the API level that the code needs, such as `Build.VERSION_CODES.Q`.
 */
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION, AnnotationTarget.CONSTRUCTOR)
@Retention(AnnotationRetention.BINARY)
public annotation class RequiresSdk(val value: Int)
