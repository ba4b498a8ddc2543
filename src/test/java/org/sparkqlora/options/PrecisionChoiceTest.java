package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.tensor.cuda.ComputeCapability;

class PrecisionChoiceTest {
    private final List<String> notes = new ArrayList<>();

    @ParameterizedTest
    @CsvSource({"7, 5", "7, 9"})
    void anOlderCardComputesInFloat16AndThatIsTold(int major, int minor) {
        assertThat(auto(new ComputeCapability(major, minor))).isEqualTo(Precision.FP16);
        assertThat(notes)
                .containsExactly("precision: fp16 (the oldest GPU is of compute capability %d.%d, and bf16 needs 8.0)"
                        .formatted(major, minor));
    }

    @ParameterizedTest
    @CsvSource({"8, 0", "8, 9", "9, 0", "10, 0"})
    void aLaterCardComputesInBfloat16(int major, int minor) {
        assertThat(auto(new ComputeCapability(major, minor))).isEqualTo(Precision.BF16);
        assertThat(notes)
                .containsExactly(
                        "precision: bf16 (the oldest GPU is of compute capability %d.%d)".formatted(major, minor));
    }

    @Test
    void theProcessorComputesInBfloat16() {
        assertThat(PrecisionChoice.parse("auto").on(Optional::empty, notes::add))
                .isEqualTo(Precision.BF16);
        assertThat(PrecisionChoice.AUTO.planned()).isEqualTo(Precision.BF16);
        assertThat(notes).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whatIsAskedForIsTakenAndNoCardIsAsked(Precision precision) {
        PrecisionChoice asked = PrecisionChoice.parse(precision.optionName());

        assertThat(asked.on(
                        () -> {
                            throw new IllegalStateException("asked");
                        },
                        notes::add))
                .isEqualTo(precision);
        assertThat(asked.planned()).isEqualTo(precision);
    }

    @Test
    void anyOtherWordIsRefused() {
        assertThatThrownBy(() -> PrecisionChoice.parse("int8"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Unsupported precision 'int8': expected one of auto, bf16, fp16, fp32");
    }

    private Precision auto(ComputeCapability oldest) {
        return PrecisionChoice.AUTO.on(() -> Optional.of(oldest), notes::add);
    }
}
