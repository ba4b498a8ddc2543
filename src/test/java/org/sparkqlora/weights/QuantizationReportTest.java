package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

class QuantizationReportTest {
    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void measuresTheMeanDistanceOfAllQuantizedWeights(int threads) {
        try (Workers workers = new Workers(threads)) {
            WeightFolder source = WeightFolder.open(Goldens.base("llama-rope3-bf16"));
            WeightFolder quantized = quantized(source, QuantSpec.DEFAULT, workers);

            QuantizationReport report = QuantizationReport.of(source, quantized, workers);

            double sum = 0;
            long count = 0;
            for (String name : DecoderTensors.of(source.config()).projections()) {
                float[] stored = new float[(int) source.tensor(name).elements()];
                float[] back = new float[stored.length];
                source.tensor(name).asFloats().read(0, stored, stored.length);
                FourBitTensor tensor = quantized.fourBit(name).orElseThrow();
                new FourBitDequantizer(workers).toFloat(tensor, FloatBuffer.wrap(back));
                count += stored.length;
                for (int i = 0; i < stored.length; i++) {
                    sum += Math.abs(stored[i] - back[i]);
                }
            }

            assertThat(report.weights()).isEqualTo(count);
            assertThat(report.meanAbsoluteError()).isCloseTo(sum / count, offset(1e-9));
        }
    }

    @Test
    void countsAllBytesOfBothFolders() throws Exception {
        try (Workers workers = new Workers(1)) {
            WeightFolder source = WeightFolder.open(Goldens.base("llama-sharded"));
            WeightFolder quantized = quantized(source, new QuantSpec(FourBitCode.FP4, 128, false), workers);

            QuantizationReport report = QuantizationReport.of(source, quantized, workers);

            long before = 0;
            for (SafetensorsFile file : source.files()) {
                before += Files.size(file.path());
            }

            assertThat(source.files()).hasSize(3);
            assertThat(report.bytesBefore()).isEqualTo(before);
            assertThat(report.bytesAfter())
                    .isEqualTo(Files.size(quantized.path().resolve("model.safetensors")));
        }
    }

    /** 4 bits, a scale of 32 bits for 128 weights, and a table of 16 numbers and a state of at most 256 bytes a tensor. */
    @Test
    void countsScalesTablesAndStateAsBitsOfAWeight() {
        try (Workers workers = new Workers(1)) {
            WeightFolder source = WeightFolder.open(Goldens.base("llama-sharded"));
            WeightFolder quantized = quantized(source, new QuantSpec(FourBitCode.NF4, 128, false), workers);

            QuantizationReport report = QuantizationReport.of(source, quantized, workers);

            double tensors = DecoderTensors.of(source.config()).projections().size();
            double perTensor = (64 + 256) * 8 * tensors / report.weights();
            assertThat(report.bitsPerWeight()).isBetween(4.25, 4.25 + perTensor);
        }
    }

    private WeightFolder quantized(WeightFolder source, QuantSpec spec, Workers workers) {
        Path target = temporary.resolve("quantized");
        FourBitFolder.write(source, spec, workers, target);
        return WeightFolder.open(target);
    }
}
