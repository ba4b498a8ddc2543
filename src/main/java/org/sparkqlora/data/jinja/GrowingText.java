package org.sparkqlora.data.jinja;

/** A text under construction whose chars are counted before they are added. */
final class GrowingText {
    private final Budget budget;
    private final StringBuilder text = new StringBuilder();

    GrowingText(Budget budget) {
        this.budget = budget;
    }

    GrowingText append(CharSequence part) {
        budget.chars(part.length());
        text.append(part);
        return this;
    }

    GrowingText append(char c) {
        budget.chars(1);
        text.append(c);
        return this;
    }

    GrowingText appendCodePoint(int codePoint) {
        budget.chars(Character.charCount(codePoint));
        text.appendCodePoint(codePoint);
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
