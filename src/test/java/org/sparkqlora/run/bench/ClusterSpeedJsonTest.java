package org.sparkqlora.run.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.speed.ClusterSpeed;

class ClusterSpeedJsonTest {
    private static final ClusterSpeed SPEED = new ClusterSpeed(3, 1e9, 2e9, 3e9, 4e-4, 5e-4, 6e-2, 7e-5);

    @Test
    void whatBenchWroteIsReadAsItWas() {
        assertThat(ClusterSpeedJson.readResult("a file", result(ClusterSpeedJson.summary(SPEED))))
                .isEqualTo(SPEED);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"4.0E-4, 0", "1.0E9, -1", "2.0E9, 'true'", "3.0E9, 1e999"})
    void aNumberThatIsNoneIsRefused(String number, String other) {
        String text = result(ClusterSpeedJson.summary(SPEED).replace(number, other));

        assertThatThrownBy(() -> ClusterSpeedJson.readResult("a file", text))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(
                        "Cannot read a file: expected what bench --cluster --result wrote, with a number above 0 for '");
    }

    @Test
    void otherDocumentsAreRefused() {
        assertThatThrownBy(() -> ClusterSpeedJson.readResult("a file", "{}"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot read a file: expected what bench --cluster --result wrote, with a number above 0 for 'executors', found none");
        assertThatThrownBy(() -> ClusterSpeedJson.readResult("a file", "{"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("Cannot read a file: expected JSON: ");
    }

    private static String result(String summary) {
        return "{\"command\":\"bench\",\"code\":0,\"summary\":%s}".formatted(summary);
    }
}
