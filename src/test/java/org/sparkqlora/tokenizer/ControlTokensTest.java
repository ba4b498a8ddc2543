package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ControlTokensTest {
    private static final ControlTokens TOKENS = new ControlTokens(1, id -> id <= 2, id -> id == 9);

    @Test
    void bosMayStandThereTwice() {
        assertThat(TOKENS.beginsTwice(example(1, 1, 5))).isTrue();
        assertThat(TOKENS.beginsTwice(example(1, 5, 1))).isFalse();
        assertThat(TOKENS.beginsTwice(example(1))).isFalse();
        assertThat(ControlTokens.UNKNOWN.beginsTwice(example(-1, -1))).isFalse();
    }

    @Test
    void anExampleShouldEndWithAControlTokenThatIsTrained() {
        assertThat(TOKENS.missesEnd(example(1, 5, 2))).isFalse();
        assertThat(TOKENS.missesEnd(example(1, 5, 6))).isTrue();
        assertThat(TOKENS.missesEnd(new EncodedExample(new int[] {1, 5, 2}, new boolean[] {false, true, false})))
                .isTrue();
        assertThat(ControlTokens.UNKNOWN.missesEnd(example(5, 6))).isFalse();
        assertThat(TOKENS.missesEnd(new EncodedExample(new int[] {1}, new boolean[] {false})))
                .isFalse();
    }

    @Test
    void whiteSpaceMayFollowTheControlToken() {
        assertThat(TOKENS.missesEnd(example(1, 5, 2, 9, 9))).isFalse();
        assertThat(TOKENS.missesEnd(example(1, 5, 9))).isTrue();
        assertThat(TOKENS.missesEnd(example(9, 9))).isTrue();
        assertThat(TOKENS.missesEnd(new EncodedExample(new int[] {5, 2, 9}, new boolean[] {true, false, true})))
                .isTrue();
    }

    private static EncodedExample example(int... ids) {
        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, true);
        return new EncodedExample(ids, trained);
    }
}
