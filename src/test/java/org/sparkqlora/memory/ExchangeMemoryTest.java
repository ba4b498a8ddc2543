package org.sparkqlora.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExchangeMemoryTest {
    private static final long MEBI = 1 << 20;

    @Test
    void sumsOfSmallVectorsStayForManySteps() {
        assertThat(new ExchangeMemory(MEBI, 1, 2).keptSteps()).isEqualTo(16);
        assertThat(new ExchangeMemory(180 * MEBI, 1, 1_000).keptSteps()).isEqualTo(16);
    }

    @Test
    void sumsOfLargeOnesStayWithinABound() {
        assertThat(new ExchangeMemory(20 * MEBI, 1, 2).keptSteps()).isEqualTo(3);
        assertThat(new ExchangeMemory(20 * MEBI, 1, 8).keptSteps()).isEqualTo(12);
        assertThat(new ExchangeMemory(540 * MEBI, 1, 2).keptSteps()).isEqualTo(2);
    }

    @Test
    void manyExecutorsKeepMoreCopies() {
        assertThat(ExchangeMemory.copies(1)).isEqualTo(2);
        assertThat(ExchangeMemory.copies(64)).isEqualTo(2);
        assertThat(ExchangeMemory.copies(256)).isEqualTo(8);
        assertThat(ExchangeMemory.copies(10_000)).isEqualTo(16);
        assertThat(new ExchangeMemory(1_000 * MEBI, 1, 1_000).bytes()).isEqualTo((1_000 + 5 * 16) * MEBI);
    }

    @Test
    void aProcessHoldsTheGradientsOfItsTasksAndItsShareOfSums() {
        assertThat(new ExchangeMemory(100 * MEBI, 3, 4).bytes()).isEqualTo((300 + 3 * 50) * MEBI);
        assertThat(new ExchangeMemory(100 * MEBI, 1, 1).bytes()).isEqualTo((100 + 3 * 100) * MEBI);
    }
}
