package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bytedeco.pytorch.Device;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.cuda.HostCuda;
import org.sparkqlora.weights.WeightFolder;

/** On the processor, used like a device that Java does not reach. */
class DeviceModelTest extends DeviceModelContract {
    @Override
    Hardware device(Workers workers) {
        return Hardware.operationsOnProcessor();
    }

    @Test
    @Tag(HostCuda.TAG)
    void ourKernelDequantisesForTheModel() {
        GoldenModel golden = new GoldenModel("qwen3-qknorm");
        ModelSpec spec = golden.spec(Mode.QLORA);
        Natives.load();

        FlatVector operations = gradient(golden, spec, Recompute.ALL, this::device);
        FlatVector kernel = gradient(
                golden, spec, Recompute.ALL, workers -> Hardware.operations(new Device("cpu"), HostCuda.dequantize()));

        for (long i = 0; i < kernel.length(); i++) {
            assertThat(kernel.get(i)).as("element %d", i).isEqualTo(operations.get(i));
        }
    }

    @Test
    void float16IsNotReadRowByRow() {
        GoldenModel golden = new GoldenModel("llama-tied");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache)) {
            assertThatThrownBy(() ->
                            LoadedModel.of(weights, in(Precision.FP16, golden), 1, Recompute.ALL, Hardware::processor))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot compute in fp16 row by row: expected a device of operations");
        }
    }
}
