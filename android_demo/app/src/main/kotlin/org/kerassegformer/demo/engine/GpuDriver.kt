package org.kerassegformer.demo.engine

import android.opengl.EGL14
import android.opengl.EGLConfig
import android.opengl.GLES20

/**
 * Returns the renderer and the version of the GPU's driver, which may be updated without the system; empty if unknown.
 * Takes some milliseconds, and the thread must have no OpenGL context: not on the main thread.
 */
internal fun gpuDriver(): String {
    val display = EGL14.eglGetDisplay(EGL14.EGL_DEFAULT_DISPLAY)
    val version = IntArray(2)
    if (!EGL14.eglInitialize(display, version, 0, version, 1)) return ""
    val configs = arrayOfNulls<EGLConfig>(1)
    val wanted = intArrayOf(
        EGL14.EGL_RENDERABLE_TYPE, EGL14.EGL_OPENGL_ES2_BIT, EGL14.EGL_SURFACE_TYPE, EGL14.EGL_PBUFFER_BIT, EGL14.EGL_NONE,
    )
    EGL14.eglChooseConfig(display, wanted, 0, configs, 0, 1, IntArray(1), 0)
    val contextVersion = intArrayOf(EGL14.EGL_CONTEXT_CLIENT_VERSION, 2, EGL14.EGL_NONE)
    val context = EGL14.eglCreateContext(display, configs[0], EGL14.EGL_NO_CONTEXT, contextVersion, 0)
    val size = intArrayOf(EGL14.EGL_WIDTH, 1, EGL14.EGL_HEIGHT, 1, EGL14.EGL_NONE)
    val surface = EGL14.eglCreatePbufferSurface(display, configs[0], size, 0)
    return try {
        if (!EGL14.eglMakeCurrent(display, surface, surface, context)) return ""
        listOfNotNull(GLES20.glGetString(GLES20.GL_RENDERER), GLES20.glGetString(GLES20.GL_VERSION)).joinToString(" ")
    } finally {
        EGL14.eglMakeCurrent(display, EGL14.EGL_NO_SURFACE, EGL14.EGL_NO_SURFACE, EGL14.EGL_NO_CONTEXT)
        EGL14.eglDestroySurface(display, surface)
        EGL14.eglDestroyContext(display, context)
        EGL14.eglTerminate(display)
    }
}
