package org.sparkqlora.spark.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.util.JsonProtocol;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("spark-line")
class RunEventTest {
    @ParameterizedTest(name = "{0}")
    @MethodSource("events")
    void anEventLogGivesBackWhatItWasGiven(RunEvent event) {
        String line = JsonProtocol.sparkEventToJsonString(event);

        assertThat(line).contains("\"Event\":\"" + event.getClass().getName() + "\"");
        assertThat(JsonProtocol.sparkEventFromJson(line)).isEqualTo(event);
    }

    @Test
    void aLogOfAnEarlierVersionHasNoMeasures() {
        StepTaken step = new StepTaken("r", 3, 8, 2.5, 1e-4, null, 4096, PhaseTimes.ZERO, Map.of());
        String line = JsonProtocol.sparkEventToJsonString(step).replace(",\"measures\":{}", "");

        assertThat(line).doesNotContain("measures");
        assertThat(JsonProtocol.sparkEventFromJson(line)).isEqualTo(step);
    }

    static Stream<RunEvent> events() {
        StepTaken step = new StepTaken("r", 3, 7, 2.5, 1e-4, 0.3, 4096, new PhaseTimes(1, 2, 3, 4, 5, 6, 7), Map.of());
        return Stream.of(
                new RunStarted(
                        "r",
                        1,
                        "name",
                        7,
                        9,
                        List.of(step),
                        List.of(new HeldOutMeasured("r", 2, 5, 3)),
                        Map.of("lora.rank", "16"),
                        1L << 40),
                step,
                new StepTaken("r", 3, 8, 2.5, 1e-4, null, 4096, PhaseTimes.ZERO, Map.of("rewards/margins", 0.5)),
                new HeldOutMeasured("r", 4, 7, 2.25),
                new CheckpointWritten("r", 5, 7),
                new FaultSeen("r", 6, 7, "lost executor 1: \"killed\""),
                new MemorySeen("r", 7, "executor 1 on host", 5L << 32, 6L << 32),
                new RunEnded("r", 8, null),
                new RunEnded("r", 8, "no space"));
    }
}
