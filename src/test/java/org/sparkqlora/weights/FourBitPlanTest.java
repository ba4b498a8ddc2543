package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;

class FourBitPlanTest {
    private static final String MODEL = "llama-sharded";

    @TempDir
    private Path temporary;

    @Test
    void aFileHasWeightsLayerByLayerUpToItsLength() {
        try (WeightFolder source = WeightFolder.open(Goldens.base(MODEL))) {
            FourBitPlan plan = FourBitPlan.of(source, QuantSpec.DEFAULT, 20_000);
            List<FourBitPart> parts = plan.parts();

            assertThat(parts).hasSizeGreaterThan(2);
            assertThat(parts)
                    .allSatisfy(part -> assertThat(
                                    part.bytes() <= 20_000 || part.pieces().size() == 1)
                            .isTrue());
            assertThat(parts.get(0).file()).isEqualTo("model-00001-of-%05d.safetensors".formatted(parts.size()));
            List<String> names = parts.stream()
                    .flatMap(part -> part.pieces().stream())
                    .map(piece -> piece.spec().name())
                    .toList();
            assertThat(names).containsExactlyInAnyOrderElementsOf(source.names());
            assertThat(names.indexOf("model.layers.0.mlp.up_proj.weight"))
                    .isLessThan(names.indexOf("model.layers.1.input_layernorm.weight"));
        }
    }

    @Test
    void onlyPartHasTheBytesOfTheFolderThatAHostWritesForItself() {
        Path expected = temporary.resolve("expected");
        Path found = temporary.resolve("model.safetensors");
        try (WeightFolder source = WeightFolder.open(Goldens.base(MODEL));
                Workers workers = new Workers(1)) {
            FourBitFolder.write(source, QuantSpec.DEFAULT, workers, expected);
            FourBitPlan plan = FourBitPlan.of(source, QuantSpec.DEFAULT, Long.MAX_VALUE);

            FourBitPart.Written written = plan.parts().get(0).write(source, QuantSpec.DEFAULT, workers, found);

            assertThat(plan.parts()).hasSize(1);
            assertThat(found).hasSameBinaryContentAs(expected.resolve("model.safetensors"));
            assertThat(found.toFile().length())
                    .isLessThanOrEqualTo(plan.parts().get(0).bytes() + (1 << 16)); // and a header
            try (WeightFolder quantized = WeightFolder.open(expected)) {
                QuantizationReport report = QuantizationReport.of(source, quantized, workers);
                assertThat(written.weights()).isEqualTo(report.weights());
                assertThat(written.quantizedBytes() * 8.0 / written.weights()).isEqualTo(report.bitsPerWeight());
                assertThat(written.errorSum() / written.weights()).isEqualTo(report.meanAbsoluteError());
            }
        }
    }

    @Test
    void refusesALengthThatHoldsNothing() {
        try (WeightFolder source = WeightFolder.open(Goldens.base(MODEL))) {
            assertThatThrownBy(() -> FourBitPlan.of(source, QuantSpec.DEFAULT, 0))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("Cannot cut weights into files: expected at least 1 byte, found 0");
        }
    }
}
