pluginManagement {
    // The R8 of AGP 8.13 is older than Kotlin 2.4 asks for; pom.xml has the same version.
    buildscript {
        repositories {
            google()
        }
        dependencies {
            classpath("com.android.tools:r8:9.5.28")
        }
    }
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "android-demo"
include(":core", ":app")
