package org.sparkqlora.input;

import java.io.Serializable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of a file or a user, compiled once. Matching goes back over what it tried, so a few characters such as
 * {@code .*.*.*x} can ask for more attempts than there is time; this one gives up after a fixed number of looks at a char.
 */
public final class BoundedPattern implements Serializable {
    private static final long serialVersionUID = 1L;

    private static final int MOST_CHARS = 1 << 16;

    /** Looks for one match: some ten milliseconds, a thousand times what expressions over names of modules need. */
    private static final int MOST_LOOKS = 1 << 20;

    private final Pattern pattern;

    private BoundedPattern(Pattern pattern) {
        this.pattern = pattern;
    }

    /** Throws {@link BadInputException} for a text that is no expression. */
    public static BoundedPattern compile(String expression) {
        if (expression.length() > MOST_CHARS) {
            throw new BadInputException("Cannot read a regular expression: expected at most %d chars, found %d"
                    .formatted(MOST_CHARS, expression.length()));
        }

        try {
            return new BoundedPattern(Pattern.compile(expression));
        } catch (PatternSyntaxException e) {
            throw new BadInputException(
                    "Cannot read '%s' as a regular expression: %s near index %d"
                            .formatted(brief(expression), e.getDescription(), e.getIndex()),
                    e);
        } catch (StackOverflowError e) {
            throw new BadInputException(
                    "Cannot read '%s' as a regular expression: its groups are nested too deep"
                            .formatted(brief(expression)),
                    e);
        }
    }

    /** Whether the whole of {@code text} matches, as Python's {@code re.fullmatch} says. */
    public boolean matches(String text) {
        try {
            return pattern.matcher(new CountedText(text)).matches();
        } catch (TooManyLooks | StackOverflowError e) {
            throw new BadInputException(
                    "Cannot match '%s' with '%s': expected an expression that is decided within %d steps, found one that tries"
                                    .formatted(brief(text), brief(pattern.pattern()), MOST_LOOKS)
                            + " too many ways. Write it with fewer repetitions such as .*",
                    e);
        }
    }

    /** The expression as it was given. */
    public String expression() {
        return pattern.pattern();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BoundedPattern that && expression().equals(that.expression());
    }

    @Override
    public int hashCode() {
        return expression().hashCode();
    }

    @Override
    public String toString() {
        return expression();
    }

    private static String brief(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }

    private static final class TooManyLooks extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A text that lets itself be looked at so often. */
    private static final class CountedText implements CharSequence {
        private final String text;
        private int looks;

        CountedText(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            looks++;
            if (looks > MOST_LOOKS) {
                throw new TooManyLooks();
            }

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
