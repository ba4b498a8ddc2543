package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Beside OpenBLAS's products: the same bytes, so that an answer does not depend on how many are computed beside it. */
class FewRowProductsTest {
    private int threads;

    @BeforeEach
    void rememberThreads() {
        Natives.load();
        threads = torch.get_num_threads();
        WideProductsTest.assumeKnownKernel();
    }

    @AfterEach
    void restoreThreads() {
        Natives.useThreads(threads);
    }

    /** Widths that 4, 12 and the kernel's stretches divide or not, one panel or several, and more columns than OpenBLAS takes at once. */
    @ParameterizedTest(name = "({0}, {1}) times ({1}, {2}), {3} terms at a time")
    @CsvSource({
        "1, 576, 192, 576", "8, 1536, 576, 1536", "16, 576, 1536, 576", "17, 333, 77, 256", "96, 700, 61, 700",
        "5, 4000, 1000, 2097", "3, 641, 2, 641", "2, 64, 151936, 256", "1, 1, 5, 256", "4, 2, 1, 256"
    })
    void hasTheBytesOfOpenBlas(long rows, long terms, long columns, long panel) {
        try (PointerScope scope = new PointerScope()) {
            Tensor left = torch.randn(rows, terms).to(ScalarType.BFloat16);
            Tensor right = torch.randn(columns, terms).to(ScalarType.BFloat16).t();
            for (int count = 1; count <= 4; count++) {
                Natives.useThreads(count);
                assertThat(FewRowProducts.product(left, right, panel)
                                .equal(WideProducts.ofOpenBlas(left, right, panel)))
                        .as("%d threads", count)
                        .isTrue();
            }
        }
    }

    @Test
    void takesFewRowsAndTransposedWeightsWithoutGaps() {
        try (PointerScope scope = new PointerScope()) {
            Tensor weight = torch.zeros(40, 24).to(ScalarType.BFloat16);
            Tensor few = torch.zeros(3, 24).to(ScalarType.BFloat16);
            assertThat(FewRowProducts.suit(few, weight.t())).isTrue();
            assertThat(FewRowProducts.suit(few, weight.narrow(0, 8, 16).t())).isTrue();
            assertThat(FewRowProducts.suit(
                            few.narrow(1, 0, 20), weight.narrow(1, 0, 20).t()))
                    .isFalse();
            assertThat(FewRowProducts.suit(few, weight.t().contiguous())).isFalse();
            assertThat(FewRowProducts.suit(torch.zeros(300, 24).to(ScalarType.BFloat16), weight.t()))
                    .isFalse();
        }
    }
}
