package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class ConsoleTest {
    private final ByteArrayOutputStream told = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8);
    private final Console console = Console.log(err, err);

    @Test
    void whatAModelSaysSteersNoTerminal() {
        console.note("answer: %s", "\u001b]0;title\u0007\u001b[2Jgone\u009b31m\u007f\b\0 owls\n\tsay hoot ÄÖ 🦉");

        assertThat(told.toString(StandardCharsets.UTF_8))
                .isEqualTo(
                        "answer: \\u001b]0;title\\u0007\\u001b[2Jgone\\u009b31m\\u007f\\u0008\\u0000 owls\n\tsay hoot ÄÖ 🦉"
                                + System.lineSeparator());
    }

    @Test
    void numbersAreWrittenAsInEnglishEverywhere() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            console.note("loss %.4f", 6.5328);
        } finally {
            Locale.setDefault(before);
        }

        assertThat(told.toString(StandardCharsets.UTF_8)).isEqualTo("loss 6.5328" + System.lineSeparator());
    }
}
