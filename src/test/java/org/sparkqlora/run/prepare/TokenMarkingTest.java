package org.sparkqlora.run.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.sparkqlora.options.Console;

/** Marks on trained tokens. */
class TokenMarkingTest {
    @Test
    void tokensAreColouredOnATerminalOnly() {
        assertThat(TokenMarking.of(Console.Kind.TERMINAL, null)).isEqualTo(TokenMarking.COLOUR);
        assertThat(TokenMarking.of(Console.Kind.TERMINAL, "1")).isEqualTo(TokenMarking.BRACKETS);
        assertThat(TokenMarking.of(Console.Kind.LOG, null)).isEqualTo(TokenMarking.BRACKETS);
        assertThat(TokenMarking.COLOUR.trained("x")).isEqualTo("\u001b[32mx\u001b[0m");
    }
}
