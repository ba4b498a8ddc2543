package com.intel.analytics.bigdl.mkl;

/** Stands in for BigDL's JNI class of this name, which its wheel lacks: the same signatures in plain Java. */
public final class MKL {
    private MKL() {}

    public static boolean isMKLLoaded() {
        return true;
    }

    public static int getMklNumThreads() {
        return 1;
    }

    public static int getNumThreads() {
        return 1;
    }

    public static void setNumThreads(int count) {}

    public static void vsscal(int n, float a, float[] x, int offset, int step) {
        for (int i = 0; i < n; i++) {
            x[offset + i * step] *= a;
        }
    }

    public static void vsaxpy(int n, float a, float[] x, int xOffset, int xStep, float[] y, int yOffset, int yStep) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i * yStep] += a * x[xOffset + i * xStep];
        }
    }

    public static float vsdot(int n, float[] x, int xOffset, int xStep, float[] y, int yOffset, int yStep) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (double) x[xOffset + i * xStep] * y[yOffset + i * yStep];
        }

        return (float) sum;
    }

    public static void vsAdd(int n, float[] a, int aOffset, float[] b, int bOffset, float[] y, int yOffset) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = a[aOffset + i] + b[bOffset + i];
        }
    }

    public static void vsSub(int n, float[] a, int aOffset, float[] b, int bOffset, float[] y, int yOffset) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = a[aOffset + i] - b[bOffset + i];
        }
    }

    public static void vsMul(int n, float[] a, int aOffset, float[] b, int bOffset, float[] y, int yOffset) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = a[aOffset + i] * b[bOffset + i];
        }
    }

    public static void vsDiv(int n, float[] a, int aOffset, float[] b, int bOffset, float[] y, int yOffset) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = a[aOffset + i] / b[bOffset + i];
        }
    }
}
