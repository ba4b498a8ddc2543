package org.sparkqlora.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BoundedPatternTest {
    @Test
    void matchesTheWholeText() {
        BoundedPattern pattern = BoundedPattern.compile(".*\\.layers\\.[0-3]\\..*(q|v)_proj");

        assertThat(pattern.matches("model.layers.2.self_attn.q_proj")).isTrue();
        assertThat(pattern.matches("model.layers.4.self_attn.q_proj")).isFalse();
        assertThat(pattern.matches("model.layers.2.self_attn.q_proj.weight")).isFalse();
        assertThat(pattern).isEqualTo(BoundedPattern.compile(pattern.expression()));
    }

    @ParameterizedTest
    @ValueSource(strings = {".*.*.*.*.*.*!", "(a*)(a*)(a*)(a*)(a*)(a*)b", "(\\w+)(\\w+)(\\w+)(\\w+)(\\w+)(\\w+)-"})
    void givesUpOnAnExpressionThatTriesTooManyWays(String expression) {
        BoundedPattern pattern = BoundedPattern.compile(expression);

        assertThatThrownBy(() -> pattern.matches("a".repeat(200)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        "Cannot match '" + "a".repeat(100) + "...' with '" + expression + "': expected an");
    }

    @Test
    void givesUpOnATextThatNeedsTooMuchOfTheStack() {
        assertThatThrownBy(() -> BoundedPattern.compile("(a|b)*").matches("a".repeat(500_000)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot match ");
    }

    @Test
    void refusesWhatIsNoExpression() {
        assertThatThrownBy(() -> BoundedPattern.compile("a(b"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot read 'a(b' as a regular expression: Unclosed group near index 3");
        assertThatThrownBy(() -> BoundedPattern.compile("(".repeat(30_000)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot read '((((");
        assertThatThrownBy(() -> BoundedPattern.compile("a".repeat(70_000)))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot read a regular expression: expected at most 65536 chars, found 70000");
    }
}
