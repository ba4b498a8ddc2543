package org.sparkqlora.tokenizer;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * An upper bound of how often a search that goes back over what it tried, as Oniguruma's does, fails and goes back at one place of a
 * text: {@code tries + scans * n} times, n the length of the longest run of characters that a repetition can take.
 *
 * <p>An unbounded repetition before something that can fail, as in {@code \s+(?!\S)}, gives back what it took one by one: a scan.
 * Two such repetitions would go back n squared times, and one in another 2^n times; both are refused.
 *
 * @param ways how many ways there are to match at one place, apart from the lengths of unbounded repetitions
 * @param tries attempts that can fail at one place
 * @param scans how often a whole run is given back
 * @param mixed whether a scan can take blanks as well as other characters, so that n is the length of the text
 * @param straight whether it matches without a failure on its way
 * @param fails whether there are places where it does not match
 * @param consumes whether each match holds a character
 * @param kind of the characters that it consumes; null for none
 * @param sweep the unbounded repetitions that end where others may fail; null for none
 * @param scanned what the scans repeat; empty for different things
 * @param takes what it matches one or more of, wherever there is one
 */
record RegexCost(
        long ways,
        long tries,
        long scans,
        boolean mixed,
        boolean straight,
        boolean fails,
        boolean consumes,
        @Nullable CharKind kind,
        @Nullable Sweep sweep,
        @Nullable String scanned,
        @Nullable String takes) {
    static final RegexCost EMPTY = new RegexCost(1, 0, 0, false, true, false, false, null, null, null, null);

    /** A place, such as the end of a line. */
    static final RegexCost ANCHOR = new RegexCost(1, 1, 0, false, true, true, false, null, null, null, null);

    private static final int MOST_REPETITIONS = 1_000;
    private static final long MANY = 1L << 30;

    /**
     * Unbounded repetitions.
     *
     * @param source what they repeat; empty for different things
     * @param open how many of them can still give back
     * @param passed attempts behind them that cannot fail in the end, made again for each that they give back
     */
    record Sweep(String source, CharKind kind, int open, long passed) {
        static @Nullable Sweep both(@Nullable Sweep one, @Nullable Sweep other, int open, long passed) {
            if (one == null && other == null) {
                return null;
            }

            String source = same(one == null ? null : one.source, other == null ? null : other.source);
            CharKind kind = either(one == null ? null : one.kind, other == null ? null : other.kind);
            return new Sweep(requireNonNull(source), requireNonNull(kind), open, Math.min(passed, MANY));
        }
    }

    RegexCost {
        ways = Math.min(ways, MANY);
        tries = Math.min(tries, MANY);
        scans = Math.min(scans, MANY);
    }

    /** An expression that may go back too often. */
    static final class RegexException extends Exception {
        private static final long serialVersionUID = 1L;

        RegexException(String found) {
            super(found);
        }
    }

    /** One character. */
    static RegexCost of(CharKind kind) {
        return new RegexCost(1, 1, 0, false, true, true, true, kind, null, null, null);
    }

    /** One character in either case, which some languages write as two. */
    RegexCost inEitherCase() {
        return new RegexCost(2, 2, scans, mixed, false, fails, consumes, kind, sweep, scanned, takes);
    }

    RegexCost then(RegexCost next) throws RegexException {
        Sweep back = next.fails || next.scans > 0 ? sweep : null;
        boolean goesBack = back != null;
        if (goesBack && (open() > 1 || open() == 1 && next.scans > 0)) {
            throw new RegexException("two unbounded repetitions before something that can fail");
        }

        long passing = sweep == null ? 0 : passed() + times(ways, next.tries);
        long again = !goesBack ? 0 : open() == 0 ? ways : passing;
        long passed = (goesBack ? 0 : passing) + times(ways, next.passed());
        return new RegexCost(
                times(ways, next.ways),
                tries + times(ways, next.tries),
                scans + times(ways, next.scans) + again,
                mixed || next.mixed || back != null && back.kind == CharKind.ANY,
                straight && next.straight,
                fails || next.fails,
                consumes || next.consumes,
                either(kind, next.kind),
                Sweep.both(sweep, next.sweep, openBefore(next), passed),
                same(same(scanned, next.scanned), back != null ? back.source : null),
                !fails ? next.takes : next.fails ? null : takes);
    }

    RegexCost or(RegexCost other) {
        return new RegexCost(
                ways + other.ways,
                tries + other.tries,
                scans + other.scans,
                mixed || other.mixed,
                false,
                fails && other.fails,
                consumes && other.consumes,
                either(kind, other.kind),
                Sweep.both(sweep, other.sweep, Math.max(open(), other.open()), passed() + other.passed()),
                same(scanned, other.scanned),
                null);
    }

    /** This cost with scans that start anew at each place of a run. */
    RegexCost scannedTimes(int factor) {
        return new RegexCost(
                ways, tries, times(scans, factor), mixed, straight, fails, consumes, kind, sweep, scanned, takes);
    }

    /** {@code (?>...)}: once matched, never gone back into. */
    RegexCost atomic() {
        Sweep closed = sweep == null ? null : new Sweep(sweep.source, sweep.kind, 0, 0);
        return new RegexCost(1, tries, scans, mixed, false, true, consumes, kind, closed, scanned, null);
    }

    /** {@code (?=...)}, {@code (?!...)}. */
    RegexCost lookahead() {
        long all = sweep == null ? scans : Math.max(scans, 1);
        boolean mixes = mixed || sweep != null && sweep.kind == CharKind.ANY;
        String over = same(scanned, sweep == null ? null : sweep.source);
        return new RegexCost(1, tries, all, mixes, false, true, false, null, null, over, null);
    }

    /** {@code (?<=...)}, {@code (?<!...)}: tried from each place where it may begin. */
    RegexCost lookbehind() throws RegexException {
        if (sweep != null) {
            throw new RegexException("an unbounded repetition in a look behind");
        }

        return new RegexCost(1, times(tries, ways), scans, mixed, false, true, false, null, null, scanned, null);
    }

    /** {@code {min,max}}. */
    RegexCost repeated(int min, int max) throws RegexException {
        if (max > 1 && (sweep != null || scans > 0)) {
            throw new RegexException("a repetition of an unbounded repetition");
        }

        requireCount(max);
        long allWays = 0;
        long allTries = 0;
        long waysOfCount = 1;
        for (int count = 0; count <= max; count++) {
            allWays += count >= min ? waysOfCount : 0;
            allTries += count < max ? times(waysOfCount, tries) : 0;
            waysOfCount = times(waysOfCount, ways);
        }

        boolean must = min > 0;
        return new RegexCost(
                allWays,
                allTries,
                scans,
                mixed,
                straight && min == max,
                must && fails,
                must && consumes,
                kind,
                sweep,
                scanned,
                must ? takes : null);
    }

    /** {@code {min,}} of what {@code source} says. */
    RegexCost repeatedFrom(int min, String source) throws RegexException {
        if (sweep != null || ways > 1 || scans > 0 || !consumes || kind == null) {
            throw new RegexException("an unbounded repetition of something that matches in several ways");
        }

        requireCount(min);
        boolean must = min > 0;
        return new RegexCost(
                1,
                times(tries, Math.max(1, min)),
                straight ? 0 : tries, // fails on its way through each repetition
                !straight && kind == CharKind.ANY,
                false,
                must,
                must,
                kind,
                new Sweep(source, kind, 1, 0),
                straight ? null : source,
                min == 1 ? source : null);
    }

    /** An atomic group gives nothing back, but is searched again whenever a part before it gives back. */
    private int openBefore(RegexCost next) {
        return open() == 0 || next.sweep == null ? open() + next.open() : open() + Math.max(1, next.open());
    }

    private int open() {
        return sweep == null ? 0 : sweep.open;
    }

    private long passed() {
        return sweep == null ? 0 : sweep.passed;
    }

    private static void requireCount(int count) throws RegexException {
        if (count > MOST_REPETITIONS) {
            throw new RegexException("a repetition of " + count + " times");
        }
    }

    private static long times(long a, long b) {
        return Math.min(a * b, MANY);
    }

    private static @Nullable CharKind either(@Nullable CharKind one, @Nullable CharKind other) {
        return one == null ? other : other == null ? one : one.or(other);
    }

    private static @Nullable String same(@Nullable String one, @Nullable String other) {
        return one == null ? other : other == null || one.equals(other) ? one : "";
    }
}
