import com.android.apksig.ApkVerifier;
import java.io.File;

/**
 * Verifies the signatures of an APK as Android does: {@code java -cp apksig.jar VerifyApk.java APK MIN_SDK}. Prints the
 * valid schemes; the exit status is 1 if there is none.
 */
public final class VerifyApk {
    public static void main(String[] args) {
        try {
            int minSdk = Integer.parseInt(args[1]);
            ApkVerifier.Result result =
                    new ApkVerifier.Builder(new File(args[0])).setMinCheckedPlatformVersion(minSdk).build().verify();
            if (!result.isVerified()) {
                throw new IllegalStateException(result.getAllErrors().toString());
            }
            System.out.println("v2 " + result.isVerifiedUsingV2Scheme());
            System.out.println("v3 " + result.isVerifiedUsingV3Scheme());
        } catch (Exception error) {
            System.err.println("The signature of " + args[0] + " does not verify: " + error.getMessage());
            System.exit(1);
        }
    }
}
