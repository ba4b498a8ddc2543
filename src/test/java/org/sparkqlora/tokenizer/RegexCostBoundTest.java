package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

/** Compares the bound with what Java's matcher, which goes back as Oniguruma does, looks at, for many small expressions. */
class RegexCostBoundTest {
    private static final int EXPRESSIONS = 20_000;
    private static final int LENGTH = 400;

    /** Looks at a char for each attempt of the bound: some go forward. */
    private static final int LOOKS = 4;

    private static final List<String> ATOMS = List.of("a", "a", "b", "\\w", "[ab]", "[^\\sb]", "$");
    private static final List<String> GROUPS = List.of("(?:%s)", "(?:%s)", "(%s)", "(?=%s)", "(?!%s)", "(?>%s)");
    private static final List<String> QUANTIFIERS =
            List.of("", "", "", "", "+", "*", "?", "+?", "*?", "++", "?+", "{1,3}", "{2}", "{2,}");

    private static final List<String> TEXTS = List.of(
            "a".repeat(LENGTH),
            "a".repeat(LENGTH - 1) + "b",
            "ab".repeat(LENGTH / 2),
            "a".repeat(LENGTH / 2) + "b".repeat(LENGTH / 2 - 1) + " ");

    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void noSearchFromOnePlaceTakesMoreThanItsBound() {
        int compared = 0;
        for (int i = 0; i < EXPRESSIONS; i++) {
            String expression = "\\A(?:" + alternatives(2) + ")";
            try {
                RegexCost cost = RegexParser.cost(expression);
                assertBounded(expression, cost);
                compared++;
            } catch (RegexException | PatternSyntaxException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }

        assertThat(compared).isGreaterThan(EXPRESSIONS / 20);
    }

    private static void assertBounded(String expression, RegexCost cost) {
        long scans = cost.scans() / 32; // at this place alone
        Pattern pattern = Pattern.compile(expression);
        for (String text : TEXTS) {
            CountedText counted = new CountedText(text);
            pattern.matcher(counted).lookingAt();
            assertThat(counted.looks)
                    .as("%s on %s...", expression, text.substring(0, 4))
                    .isLessThanOrEqualTo(LOOKS * (cost.tries() + (scans + 1) * LENGTH));
        }
    }

    private String alternatives(int depth) {
        return IntStream.rangeClosed(0, random.nextInt(3))
                .mapToObj(i -> sequence(depth))
                .collect(Collectors.joining("|"));
    }

    private String sequence(int depth) {
        return IntStream.rangeClosed(0, random.nextInt(4))
                .mapToObj(i -> atom(depth) + oneOf(QUANTIFIERS))
                .collect(Collectors.joining());
    }

    private String atom(int depth) {
        return depth == 0 || random.nextBoolean() ? oneOf(ATOMS) : oneOf(GROUPS).formatted(alternatives(depth - 1));
    }

    private String oneOf(List<String> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    private static final class CountedText implements CharSequence {
        private final String text;
        private long looks;

        CountedText(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            looks++;
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
