package org.sparkqlora.run.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.ui.RunReport.Sample;

class SamplesJsonTest {
    @Test
    void theFirstAndTheLastAnswerToAPromptAreBesideEachOther() {
        String lines = """
                {"step":0,"prompt":[{"role":"user","content":"Where?"}],"text":"There.","tokens":2}
                {"step":0,"prompt":"Once","text":" upon","tokens":1}
                {"step":5,"prompt":[{"role":"user","content":"Where?"}],"text":"Here.","tokens":2}
                {"step":9,"prompt":[{"role":"user","content":"Where?"}],"text":"Arr, here!","tokens":3}
                """;

        assertThat(SamplesJson.firstAndLast(lines)).containsExactly(new Sample("Where?", 0, "There.", 9, "Arr, here!"));
    }

    @Test
    void whatIsNoJsonIsRefused() {
        assertThatThrownBy(() -> SamplesJson.firstAndLast("no"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read answers: expected JSON lines, found no");
    }
}
