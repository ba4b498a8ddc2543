package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Mean errors on four million standard normal numbers, as bitsandbytes' own {@code test_functional.py} has them. */
@NullMarked
class QuantisationErrorTest {
    private static final float[] NORMAL = QuantTesting.normal(42, 1 << 22);

    /** In percent; the errors of samples of a million differ by 0.1 to 0.4. */
    private static final double SAMPLING = 0.5;

    @ParameterizedTest(name = "{0} in blocks of {1}")
    @CsvSource({
        "NF4, 32, 0.067746, 0.189726",
        "NF4, 64, 0.072798, 0.203339",
        "NF4, 128, 0.076831, 0.215237",
        "NF4, 256, 0.080337, 0.226105",
        "NF4, 512, 0.083547, 0.236079",
        "NF4, 1024, 0.086610, 0.245370",
        "NF4, 2048, 0.089592, 0.254163",
        "NF4, 4096, 0.092547, 0.262473",
        "FP4, 32, 0.088925, 0.242443",
        "FP4, 64, 0.096543, 0.260125",
        "FP4, 128, 0.102969, 0.275817",
        "FP4, 256, 0.108684, 0.289831",
        "FP4, 512, 0.114115, 0.302881",
        "FP4, 1024, 0.119333, 0.315000",
        "FP4, 2048, 0.124556, 0.326607",
        "FP4, 4096, 0.129536, 0.337169",
    })
    void plainScalesCostWhatTheReferenceMeasures(FourBitCode code, int blockSize, double absolute, double relative) {
        assertErrors(new QuantSpec(code, blockSize, false), absolute, relative);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"NF4, 0.072793, 0.203511", "FP4, 0.096547, 0.260274"})
    void doubleQuantisationCostsNextToNothing(FourBitCode code, double absolute, double relative) {
        assertErrors(new QuantSpec(code, 64, true), absolute, relative);
    }

    private static void assertErrors(QuantSpec spec, double absolute, double relative) {
        float[] found = QuantTesting.floats(QuantTesting.quantize(spec, NORMAL));
        double absoluteSum = 0;
        double relativeSum = 0;
        for (int i = 0; i < NORMAL.length; i++) {
            double error = Math.abs((double) found[i] - NORMAL[i]);
            absoluteSum += error;
            relativeSum += error / (Math.abs(NORMAL[i]) + 1e-8);
        }

        assertThat(absoluteSum / NORMAL.length).isCloseTo(absolute, withinPercentage(SAMPLING));
        assertThat(relativeSum / NORMAL.length).isCloseTo(relative, withinPercentage(SAMPLING));
    }
}
