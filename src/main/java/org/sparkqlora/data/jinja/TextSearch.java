package org.sparkqlora.data.jinja;

/**
 * Looks for one text in another, counting the work: where nearly every place of a long text nearly matches, a search takes as
 * many comparisons as the lengths multiplied.
 */
record TextSearch(String text, String part, Budget budget) {
    boolean isIn() {
        return next(0) >= 0;
    }

    /** The first place at or after {@code from}, -1 when there is none. */
    int next(int from) {
        if (part.isEmpty()) {
            return from;
        }

        char first = part.charAt(0);
        int last = text.length() - part.length();
        for (int at = text.indexOf(first, from); at >= 0 && at <= last; at = text.indexOf(first, at + 1)) {
            budget.look(part);
            if (text.startsWith(part, at)) {
                return at;
            }
        }

        return -1;
    }

    /** The last place that ends at or before {@code to}, -1 when there is none. */
    int previous(int to) {
        for (int at = to - part.length(); at >= 0; at--) {
            at = part.isEmpty() ? at : text.lastIndexOf(part.charAt(0), at);
            budget.look(part);
            if (at >= 0 && text.startsWith(part, at)) {
                return at;
            }
        }

        return -1;
    }
}
