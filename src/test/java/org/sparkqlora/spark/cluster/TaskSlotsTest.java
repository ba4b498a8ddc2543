package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskSlotsTest {
    @ParameterizedTest(name = "{0} passes on {1} slots of {2}: {3} parts")
    @CsvSource({"0, 2, 4, 1", "1, 2, 4, 1", "8, 1, 4, 2", "8, 4, 4, 4", "9, 2, 1, 8", "1000, 2, 4, 8", "3, 4, 1, 3"})
    void everySlotHasSomeAndEachAsManyAsItCanHaveAtOnce(int passes, int slots, int atOnce, int parts) {
        assertThat(TaskSlots.parts(passes, slots, atOnce)).isEqualTo(parts);
    }
}
