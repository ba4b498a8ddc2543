package org.sparkqlora.tokenizer;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

/** Reads a character, an escape or a class of a regular expression in Oniguruma's syntax, and says which characters it matches. */
final class CharReader {
    private static final int DEEPEST = 20;
    private static final String CONTROLS = "tnvfrae";
    private static final String CONTROL_CODES = "\t\n\u000b\f\r\u0007\u001b";
    private static final Pattern PROPERTY = Pattern.compile("\\\\([pP])\\{(\\^?)([\\w ]+)\\}");
    private static final Pattern CODE =
            Pattern.compile("\\\\(?:x([0-7][0-9A-Fa-f])|x\\{([0-9A-Fa-f]{1,6})\\}|u([0-9A-Fa-f]{4}))");
    private static final Pattern POSIX = Pattern.compile("\\[:\\^?\\w+:\\]");

    private final String source;
    private int position;
    private int depth;

    /** The code point that was read last; negative if it was more than one character. */
    private int codePoint;

    CharReader(String source, int position) {
        this.source = source;
        this.position = position;
    }

    /** The position behind the last character read. */
    int position() {
        return position;
    }

    /** Null for an escape that matches a place, such as {@code \b}. */
    @Nullable
    CharKind read() throws RegexException {
        codePoint = -1;
        if (position >= source.length()) {
            throw unknown();
        }

        if (source.charAt(position) == '[') {
            return set();
        }

        if (source.charAt(position) == '\\') {
            return escape();
        }

        return character(source.codePointAt(position), position + Character.charCount(source.codePointAt(position)));
    }

    private CharKind character(int read, int end) {
        codePoint = read;
        position = end;
        return CharKind.of(read);
    }

    private @Nullable CharKind escape() throws RegexException {
        Matcher property = matcher(PROPERTY);
        if (property.lookingAt()) {
            position = property.end();
            boolean negated =
                    property.group(1).equals("P") || !property.group(2).isEmpty();
            return negated ? CharKind.ANY : CharKind.ofProperty(property.group(3));
        }

        Matcher code = matcher(CODE);
        if (code.lookingAt()) {
            String digits =
                    code.group(1) == null ? code.group(2) == null ? code.group(3) : code.group(2) : code.group(1);
            return character(Integer.parseInt(digits, 16), code.end());
        }

        if (position + 1 >= source.length()) {
            throw unknown();
        }

        int escaped = source.codePointAt(position + 1);
        int end = position + 1 + Character.charCount(escaped);
        int control = CONTROLS.indexOf(escaped);
        if (control >= 0) {
            return character(CONTROL_CODES.charAt(control), end);
        }

        if (!Character.isLetterOrDigit(escaped)) {
            return character(escaped, end);
        }

        CharKind kind = named(escaped);
        position = end;
        return kind;
    }

    private @Nullable CharKind named(int letter) throws RegexException {
        return switch (letter) {
            case 's' -> CharKind.BLANKS;
            case 'S', 'w', 'd', 'h' -> CharKind.OTHERS;
            case 'W', 'D', 'H' -> CharKind.ANY;
            case 'A', 'z', 'Z', 'G', 'b', 'B' -> null;
            default -> throw unknown();
        };
    }

    private CharKind set() throws RegexException {
        depth++;
        if (depth > DEEPEST) {
            throw new RegexException("classes nested more than " + DEEPEST + " deep");
        }

        position++;
        boolean negated = next("^");
        CharKind kind = negated ? complement() : intersection();
        depth--;
        codePoint = -1;
        return kind;
    }

    /** Pure if one of its parts is. */
    private CharKind intersection() throws RegexException {
        CharKind kind = CharKind.ANY;
        boolean first = true;
        do {
            CharKind part = union(first);
            kind = kind == CharKind.ANY ? part : kind;
            first = false;
        } while (next("&&"));

        close();
        return kind;
    }

    /** Holds no blanks if it is without {@code \s}, and nothing else if it is without {@code \S}. */
    private CharKind complement() throws RegexException {
        CharKind kind = CharKind.ANY;
        boolean first = true;
        while (first || !at("]")) {
            boolean blanks = at("\\s");
            boolean others = at("\\S");
            item();
            kind = blanks ? CharKind.OTHERS : others ? CharKind.BLANKS : kind;
            first = false;
            if (at("&&")) {
                throw unknown();
            }
        }

        close();
        return kind;
    }

    private CharKind union(boolean first) throws RegexException {
        CharKind kind = null;
        boolean literal = first;
        while (literal || !at("]") && !at("&&")) {
            CharKind item = item();
            kind = kind == null ? item : kind.or(item);
            literal = false;
        }

        return kind == null ? CharKind.ANY : kind;
    }

    /** A character, a range, an escape or an inner class. */
    private CharKind item() throws RegexException {
        Matcher posix = matcher(POSIX);
        if (posix.lookingAt()) {
            position = posix.end();
            return CharKind.ANY;
        }

        CharKind kind = member();
        int from = codePoint;
        if (from < 0 || !at("-") || source.startsWith("-]", position)) {
            return kind;
        }

        position++;
        member();
        if (codePoint < from) {
            throw unknown();
        }

        return CharKind.ofRange(from, codePoint);
    }

    private CharKind member() throws RegexException {
        if (next("\\b")) {
            codePoint = '\b';
            return CharKind.OTHERS;
        }

        CharKind kind = read();
        if (kind == null) {
            throw unknown();
        }

        return kind;
    }

    private void close() throws RegexException {
        if (!next("]")) {
            throw unknown();
        }
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
        String rest = source.substring(Math.min(position, source.length()), Math.min(source.length(), position + 10));
        return new RegexException("'" + rest + "' at char " + position);
    }
}
