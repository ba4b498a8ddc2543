package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
class DeviceChoiceTest {
    @Test
    void theGpuThatSparkGaveIsTaken() {
        assertThat(DeviceChoice.AUTO.gpu(List.of("3"))).hasValue(3);
        assertThat(DeviceChoice.CUDA.gpu(List.of("3", "4"))).hasValue(3);
        assertThat(DeviceChoice.CPU.gpu(List.of("3"))).isEmpty();
    }

    @Test
    void withoutOneOnlyCudaTakesTheFirst() {
        assertThat(DeviceChoice.AUTO.gpu(List.of())).isEmpty();
        assertThat(DeviceChoice.CPU.gpu(List.of())).isEmpty();
        assertThat(DeviceChoice.CUDA.gpu(List.of())).hasValue(0);
    }

    @Test
    void anAddressThatIsNoNumberIsRefused() {
        assertThatThrownBy(() -> DeviceChoice.AUTO.gpu(List.of("MIG-1c2")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot compute on GPU 'MIG-1c2', which Spark gave to the task: expected its number, from 0."
                                + " See the discovery script in deploy/gpu");
    }

    @Test
    void anUnknownWordIsRefused() {
        assertThat(DeviceChoice.parse("cuda")).isEqualTo(DeviceChoice.CUDA);
        assertThatThrownBy(() -> DeviceChoice.parse("gpu"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot compute on 'gpu': expected auto, cpu or cuda");
    }
}
