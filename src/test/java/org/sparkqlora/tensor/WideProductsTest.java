package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Beside products in double. One rounding to bfloat16, of 8 bits, is 2^-8; what float32 adds to it is a hundredth. */
class WideProductsTest {
    private static final double ROUNDING = 1.01 / 256;

    @BeforeAll
    static void load() {
        Natives.load();
    }

    @ParameterizedTest(name = "({0}, {1}) times ({1}, {2})")
    @CsvSource({"3, 5, 7", "1, 1, 1", "1030, 64, 16", "17, 3000, 4100", "0, 4, 4"})
    void roundsAProductOnce(long m, long k, long n) {
        withinOneRounding(() -> {
            Tensor left = numbers(m, k);
            Tensor right = numbers(k, n);
            return distance(WideProducts.mm(left, right, null), wide(left).mm(wide(right)));
        });
    }

    /** On which it rests that an answer is the same whatever others are computed beside it. */
    @ParameterizedTest(name = "(m, {0}) times ({0}, {1})")
    @CsvSource({
        "64, 48",
        "576, 192",
        "576, 1536",
        "1536, 576",
        "333, 77",
        "4000, 1000",
        "576, 16",
        "1536, 8",
        "641, 1040"
    })
    void aRowIsTheSameWhateverRowsAreBesideIt(long k, long n) {
        assumeKnownKernel();
        try (PointerScope scope = new PointerScope()) {
            rowsAreTheSame(numbers(1000, k), numbers(n, k).t());
            rowsAreTheSame(numbers(1000, k), numbers(n, k + 8).t().narrow(0, 0, k));
            rowsAreTheSame(numbers(1000, k), numbers(k, n));
            rowsAreTheSame(numbers(k, 1000).t(), numbers(k, n));
        }
    }

    private static void rowsAreTheSame(Tensor left, Tensor right) {
        Tensor all = WideProducts.mm(left, right, null);
        Tensor added = WideProducts.addTo(torch.zeros_like(all), left, right, 1);
        assertThat(added.equal(all)).isTrue();
        for (long from : new long[] {0, 5, 290, 307}) {
            for (long count : new long[] {1, 2, 7, 8, 9, 16, 31, 32, 33, 49, 64, 97, 300, 304, 305, 320, 400}) {
                Tensor part = WideProducts.mm(left.narrow(0, from, count), right, null);
                assertThat(part.equal(all.narrow(0, from, count)))
                        .as("%d rows from %d", count, from)
                        .isTrue();
            }
        }
    }

    /** Queries may follow kept ones or stand behind them in one pass, and keys of later tokens have a probability of 0. */
    @Test
    void rowsOfABatchAreTheSameWhateverStandsBesideThem() {
        assumeKnownKernel();
        try (PointerScope scope = new PointerScope()) {
            Tensor left = numbers(3, 96, 700);
            Tensor right = numbers(3, 700, 224);
            Tensor all = WideProducts.bmm(left, right);
            for (long rows : new long[] {1, 17, 32, 64}) {
                for (long columns : new long[] {1, 32, 77, 96}) {
                    Tensor part = WideProducts.bmm(left.narrow(1, 96 - rows, rows), right.narrow(2, 0, columns));
                    assertThat(part.equal(all.narrow(1, 96 - rows, rows).narrow(2, 0, columns)))
                            .as("%d rows, %d columns", rows, columns)
                            .isTrue();
                }
            }

            for (long terms : new long[] {32, 300, 416, 608}) {
                left.narrow(2, terms, 700 - terms).zero_();
                Tensor whole = WideProducts.bmm(left, right);
                Tensor part = WideProducts.bmm(left.narrow(2, 0, terms), right.narrow(1, 0, terms));
                assertThat(part.equal(whole)).as("%d terms", terms).isTrue();
                left = numbers(3, 96, 700);
            }
        }
    }

    /** Gradients of keys, values and weights sum over tokens: the left matrix is what lies by tokens, seen by columns. */
    @ParameterizedTest(name = "({0}, {1}) times ({1}, {2})")
    @CsvSource({"512, 768, 64", "1000, 333, 77", "1, 40, 24", "3, 1, 5", "700, 2100, 48"})
    void theLayoutOfTheLeftMatrixChangesNoByte(long m, long k, long n) {
        assumeKnownKernel();
        try (PointerScope scope = new PointerScope()) {
            Tensor left = numbers(k, m).t();
            Tensor right = numbers(k, n);
            Tensor copied = WideProducts.mm(left.contiguous(), right, null);
            assertThat(WideProducts.mm(left, right, null).equal(copied)).isTrue();
        }
    }

    @Test
    void addsABiasBeforeItRounds() {
        withinOneRounding(() -> {
            Tensor left = numbers(9, 33);
            Tensor weight = numbers(12, 33);
            Tensor bias = numbers(12);
            Tensor exact = wide(left).mm(wide(weight).t()).add(wide(bias));
            return distance(WideProducts.mm(left, weight.t(), bias), exact);
        });
    }

    @Test
    void addsToASumBeforeItRounds() {
        withinOneRounding(() -> {
            Tensor sum = numbers(1500, 6);
            Tensor left = numbers(1500, 8);
            Tensor right = numbers(8, 6);
            Tensor exact = wide(sum).add(wide(left).mm(wide(right)), new Scalar(0.5));
            Tensor added = WideProducts.addTo(sum, left, right, 0.5);
            assertThat(added).isSameAs(sum);
            return distance(added, exact);
        });
    }

    @Test
    void writesBetweenOtherColumns() {
        try (PointerScope scope = new PointerScope()) {
            Tensor whole = torch.ones(4, 10).to(ScalarType.BFloat16);
            Tensor left = numbers(4, 3);
            Tensor right = numbers(3, 5);
            WideProducts.mmInto(whole.narrow(1, 2, 5), left, right, null);
            assertThat(whole.narrow(1, 0, 2).to(ScalarType.Float).sum().item_float())
                    .isEqualTo(8);
            assertThat(whole.narrow(1, 7, 3).to(ScalarType.Float).sum().item_float())
                    .isEqualTo(12);
            assertThat(whole.narrow(1, 2, 5).equal(WideProducts.mm(left, right, null)))
                    .isTrue();
        }
    }

    @Test
    void multipliesBatches() {
        withinOneRounding(() -> {
            Tensor left = numbers(6, 5, 9);
            Tensor right = numbers(6, 11, 9).transpose(1, 2);
            return distance(WideProducts.bmm(left, right), wide(left).bmm(wide(right)));
        });
    }

    /** Others of OpenBLAS's, on Arm and with AMX, are not used: libtorch multiplies bfloat16 there. */
    static void assumeKnownKernel() {
        assumeThat(ProcessorFlags.ofThisMachine().names()).contains("avx2").doesNotContain("amx_tile");
    }

    private static void withinOneRounding(Supplier<Double> distance) {
        try (PointerScope scope = new PointerScope()) {
            assertThat(distance.get()).isLessThanOrEqualTo(ROUNDING);
        }
    }

    private static Tensor numbers(long... shape) {
        return torch.randn(shape).to(ScalarType.BFloat16);
    }

    private static Tensor wide(Tensor of) {
        return of.to(ScalarType.Double);
    }

    /** The largest distance as a share of the number, or of one where it is smaller; NaN counts as far away. */
    private static double distance(Tensor found, Tensor exact) {
        assertThat(found.scalar_type().intern()).isEqualTo(ScalarType.BFloat16);
        assertThat(found.numel()).isEqualTo(exact.numel());
        if (exact.numel() == 0) {
            return 0;
        }

        Tensor scale = exact.abs().clamp_min(new Scalar(1.0));
        return wide(found).sub(exact).abs().div(scale).max().item_double();
    }
}
