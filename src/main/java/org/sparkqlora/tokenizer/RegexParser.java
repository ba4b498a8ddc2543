package org.sparkqlora.tokenizer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

/** Reads a regular expression in Oniguruma's syntax, as far as its {@link RegexCost} asks for. */
final class RegexParser {
    private static final int DEEPEST = 50;

    /** For a scan that no other alternative makes needless: it may start at each place of a run. */
    private static final int SLOW = 32;

    private static final Pattern COUNT = Pattern.compile("\\{(?=[0-9,]*[0-9])([0-9]{0,6})(,?)([0-9]{0,6})\\}");
    private static final Pattern PLAIN_GROUP = Pattern.compile("\\((?!\\?|\\*)|\\(\\?(?:<\\w+>|'\\w+'|:)");
    private static final Pattern COMMENT = Pattern.compile("\\(\\?#[^)\\\\]*\\)");
    private static final Pattern FLAGS = Pattern.compile("\\(\\?([im]*)(?:-([im]*))?:");
    private static final Pattern SINGLE = Pattern.compile("[^\\\\.\\[\\](){}|^$*+?]", Pattern.DOTALL);

    private final String source;
    private int position;
    private int depth;
    private boolean eitherCase;

    private RegexParser(String source) {
        this.source = source;
    }

    /** The cost of {@code expression}; throws for one that may go back without end, and for syntax that is not known here. */
    static RegexCost cost(String expression) throws RegexException {
        RegexParser parser = new RegexParser(expression);
        List<RegexCost> alternatives = parser.alternatives();
        if (parser.position < expression.length()) {
            throw parser.unknown();
        }

        return total(alternatives);
    }

    /**
     * A scan is made once for each run if, where it fails, a later alternative takes the run, as {@code \s+} does behind
     * {@code \s*[\r\n]+}; else once for each place of it.
     */
    private static RegexCost total(List<RegexCost> alternatives) {
        String taken = null;
        RegexCost total = null;
        for (int i = alternatives.size() - 1; i >= 0; i--) {
            RegexCost alternative = alternatives.get(i);
            String scanned = alternative.scanned();
            if (scanned != null && !scanned.equals(taken) && !scanned.equals(alternative.takes())) {
                alternative = alternative.scannedTimes(SLOW);
            }

            taken = alternative.takes() != null ? alternative.takes() : scanned != null ? taken : null;
            total = total == null ? alternative : alternative.or(total);
        }

        return total == null ? RegexCost.EMPTY : total;
    }

    private List<RegexCost> alternatives() throws RegexException {
        List<RegexCost> found = new ArrayList<>();
        found.add(sequence());
        while (next("|")) {
            found.add(sequence());
        }

        return found;
    }

    private RegexCost sequence() throws RegexException {
        RegexCost cost = RegexCost.EMPTY;
        while (position < source.length() && !at("|") && !at(")")) {
            cost = cost.then(repeated());
        }

        return cost;
    }

    private RegexCost repeated() throws RegexException {
        int start = position;
        RegexCost cost = atom();
        while (position < source.length()) {
            String body = source.substring(start, position);
            Matcher count = matcher(COUNT);
            if (next("*")) {
                cost = mode(cost.repeatedFrom(0, body));
            } else if (next("+")) {
                cost = mode(cost.repeatedFrom(1, body));
            } else if (next("?")) {
                cost = mode(cost.repeated(0, 1));
            } else if (count.lookingAt()) {
                position = count.end();
                cost = counted(cost, count, body);
            } else {
                break;
            }
        }

        return cost;
    }

    /** Behind {@code *}, {@code +} and {@code ?}. */
    private RegexCost mode(RegexCost repeated) {
        if (next("+")) {
            return repeated.atomic();
        }

        next("?"); // takes as few as it can: as many attempts
        return repeated;
    }

    private RegexCost counted(RegexCost cost, Matcher count, String body) throws RegexException {
        int first = number(count.group(1));
        boolean exact = count.group(2).isEmpty();
        int last = exact ? first : number(count.group(3));
        boolean lazy = next("?");
        if (!exact && count.group(3).isEmpty()) {
            return cost.repeatedFrom(first, body);
        }

        return cost.repeated(lazy ? 0 : Math.min(first, last), Math.max(first, last));
    }

    private static int number(String digits) {
        return digits.isEmpty() ? 0 : Integer.parseInt(digits);
    }

    private RegexCost atom() throws RegexException {
        if (at("(")) {
            return group();
        }

        if (next("^") || next("$")) {
            return RegexCost.ANCHOR;
        }

        if (next(".")) {
            return RegexCost.of(CharKind.ANY);
        }

        if (at("*") || at("+") || at("?")) {
            throw unknown();
        }

        CharReader reader = new CharReader(source, position);
        CharKind kind = reader.read();
        position = reader.position();
        if (kind == null) {
            return RegexCost.ANCHOR;
        }

        return eitherCase && kind != CharKind.BLANKS ? RegexCost.of(kind).inEitherCase() : RegexCost.of(kind);
    }

    private RegexCost group() throws RegexException {
        Matcher comment = matcher(COMMENT);
        if (comment.lookingAt()) {
            position = comment.end();
            return RegexCost.EMPTY;
        }

        if (next("(?=") || next("(?!")) {
            return inner().lookahead();
        }

        if (next("(?<=") || next("(?<!")) {
            return inner().lookbehind();
        }

        if (next("(?>")) {
            return inner().atomic();
        }

        Matcher flags = matcher(FLAGS);
        if (!flags.lookingAt()) {
            return plainGroup();
        }

        position = flags.end();
        boolean before = eitherCase;
        boolean off = flags.group(2) != null && flags.group(2).contains("i");
        eitherCase = !off && (before || flags.group(1).contains("i"));
        RegexCost cost = inner();
        eitherCase = before;
        return cost;
    }

    private RegexCost plainGroup() throws RegexException {
        Matcher group = matcher(PLAIN_GROUP);
        if (!group.lookingAt()) {
            throw unknown();
        }

        position = group.end();
        return inner();
    }

    /** Behind the head of a group. */
    private RegexCost inner() throws RegexException {
        depth++;
        if (depth > DEEPEST) {
            throw new RegexException("groups nested more than " + DEEPEST + " deep");
        }

        int start = position;
        List<RegexCost> alternatives = alternatives();
        String text = source.substring(start, position);
        if (!next(")")) {
            throw unknown();
        }

        depth--;
        RegexCost cost = alternatives.stream().reduce(RegexCost::or).orElseThrow();
        CharKind kind = cost.kind();
        return kind != null && isOneOf(text) ? RegexCost.of(kind) : cost;
    }

    /** Whether {@code text} is an alternation of different single characters, each written as itself. */
    private boolean isOneOf(String text) {
        String[] parts = text.split("\\|", -1);
        Set<String> different = new HashSet<>(List.of(parts));
        return !eitherCase
                && different.size() == parts.length
                && different.stream().allMatch(part -> SINGLE.matcher(part).matches());
    }

    private Matcher matcher(Pattern pattern) {
        return pattern.matcher(source).region(position, source.length());
    }

    private boolean at(String text) {
        return source.startsWith(text, position);
    }

    private boolean next(String text) {
        boolean found = at(text);
        position += found ? text.length() : 0;
        return found;
    }

    private RegexException unknown() {
        String rest = source.substring(position, Math.min(source.length(), position + 10));
        return new RegexException("'" + rest + "' at char " + position);
    }
}
