package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.BaseMemoryLimit;

class BaseMemoryChoiceTest {
    private static final long NEEDED = 100;
    private static final long BASE = 70;
    private static final long SMALLEST = 10;

    /** Of 100 bytes 30 are not the base's. */
    @ParameterizedTest
    @CsvSource({"99, 69", "60, 30", "41, 11", "40, 10", "20, 10"})
    void autoKeepsWhatThereIsRoomForBesideTheRest(long room, long expected) {
        assertThat(BaseMemoryChoice.parse("auto").within(OptionalLong.of(room), NEEDED, BASE, SMALLEST))
                .isEqualTo(new BaseMemoryLimit(expected));
    }

    @Test
    void autoKeepsAllWhereItFitsAndWhereNothingIsKnown() {
        assertThat(BaseMemoryChoice.AUTO.within(OptionalLong.of(NEEDED), NEEDED, BASE, SMALLEST))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(BaseMemoryChoice.AUTO.within(OptionalLong.empty(), NEEDED, BASE, SMALLEST))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(BaseMemoryChoice.AUTO.known().isBounded()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"all, 9223372036854775807", "ALL, 9223372036854775807", "256M, 268435456", "8g, 8589934592", "5, 5"})
    void whatIsAskedForIsTaken(String text, long bytes) {
        BaseMemoryChoice asked = BaseMemoryChoice.parse(text);

        assertThat(asked.within(OptionalLong.of(1), NEEDED, BASE, SMALLEST)).isEqualTo(new BaseMemoryLimit(bytes));
        assertThat(asked.known()).isEqualTo(new BaseMemoryLimit(bytes));
    }

    @Test
    void autoKeepsAllDequantisedWhereThatFits() {
        assertThat(dequantized("auto", BaseMemoryLimit.ALL, OptionalLong.of(NEEDED)))
                .isEqualTo(BaseMemoryLimit.DEQUANTIZED);
        assertThat(dequantized("auto", BaseMemoryLimit.ALL, OptionalLong.of(NEEDED - 1)))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(dequantized("auto", BaseMemoryLimit.ALL, OptionalLong.empty()))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(dequantized("auto", new BaseMemoryLimit(50), OptionalLong.of(NEEDED)))
                .isEqualTo(new BaseMemoryLimit(50));
        assertThat(dequantized("all", BaseMemoryLimit.ALL, OptionalLong.of(NEEDED)))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(BaseMemoryChoice.parse("dequantized").known()).isEqualTo(BaseMemoryLimit.DEQUANTIZED);
    }

    private static BaseMemoryLimit dequantized(String asked, BaseMemoryLimit chosen, OptionalLong room) {
        return BaseMemoryChoice.parse(asked).dequantizedWithin(chosen, room, NEEDED);
    }

    @Test
    void anythingElseIsRefused() {
        assertThatThrownBy(() -> BaseMemoryChoice.parse("much"))
                .hasMessage(
                        "Cannot keep a base in 'much': expected all, dequantized, auto or a number of bytes such as 8G");
        assertThatThrownBy(() -> BaseMemoryChoice.parse("0")).hasMessage("Cannot keep a base in 0 bytes");
    }
}
