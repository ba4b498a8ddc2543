package org.sparkqlora.input;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrintableTextTest {
    @Test
    void theMessageOfBadInputBeginsNoOtherLineAndSteersNoTerminal() {
        String role = "user\nWARN train: done\r\n\u001b[2J\u009b31m\rspark-qlora";

        assertThat(new BadInputException("Cannot read the role '" + role + "': found\n  one\n  two"))
                .hasMessage(
                        "Cannot read the role 'user\\u000aWARN train: done\\u000d\\u000a\\u001b[2J\\u009b31m\\u000dspark-qlora':"
                                + " found\n  one\n  two")
                .hasToString(
                        "org.sparkqlora.input.BadInputException: Cannot read the role 'user\\u000aWARN train: done\\u000d\\u000a"
                                + "\\u001b[2J\\u009b31m\\u000dspark-qlora': found\n  one\n  two");
    }

    @Test
    void linesOfAnAnswerStayLines() {
        assertThat(PrintableText.lines("owls\n\tsay\r\nhoot\rmoo")).isEqualTo("owls\n\tsay\r\nhoot\\u000dmoo");
    }
}
