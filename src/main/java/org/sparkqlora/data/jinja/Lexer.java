package org.sparkqlora.data.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.data.jinja.Token.Kind;

/**
 * Cuts a template into tokens and settles its white space: the newline after a block tag goes (trim_blocks), as does the
 * indentation before one (lstrip_blocks), a minus in a tag takes all white space on its side, a plus keeps it.
 */
final class Lexer {
    /** Digits with single underscores between them; possessive, since Java goes back over others on the stack. */
    private static final String DIGITS = "\\d++(?:_\\d++)*+";

    private static final Pattern NUMBER =
            Pattern.compile(DIGITS + "(?<float>\\." + DIGITS + "(?:[eE][+-]?\\d+)?|[eE][+-]?\\d+)?");
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");
    private static final Pattern OPERATOR = Pattern.compile("==|!=|<=|>=|//|\\*\\*|[-+*/%~<>=.,:;|()\\[\\]{}]");
    private static final Pattern RAW = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(?:-%}\\s*|%})");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> read(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
        lexer.readAll();
        return lexer.tokens;
    }

    private void readAll() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                add(Kind.TEXT, source.substring(at));
                advance(source.length());
            } else {
                readTag(tag);
            }
        }

        add(Kind.END, "");
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }

        return -1;
    }

    private void readTag(int tag) {
        char kind = source.charAt(tag + 1);
        char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
        addStripped(tag, kind, sign);
        switch (kind) {
            case '#' -> skipComment();
            case '{' -> readExpression(Kind.OUTPUT_BEGIN, sign == '-' ? "{{-" : "{{", Kind.OUTPUT_END, "}}");
            default -> readBlock(sign);
        }

        lineStarting = at > 0 && source.charAt(at - 1) == '\n';
    }

    /** The text up to a tag, without the white space that the tag takes. */
    private void addStripped(int tag, char kind, char sign) {
        String kept = stripBefore(source.substring(at, tag), kind, sign);
        if (!kept.isEmpty()) {
            add(Kind.TEXT, kept);
        }

        advance(tag);
    }

    private String stripBefore(String text, char kind, char sign) {
        if (sign == '-') {
            return text.stripTrailing();
        }

        if (sign == '+' || kind == '{') {
            return text;
        }

        int lineStart = text.lastIndexOf('\n') + 1;
        boolean onlyIndentation =
                (lineStart > 0 || lineStarting) && text.substring(lineStart).isBlank();
        return onlyIndentation ? text.substring(0, lineStart) : text;
    }

    private void skipComment() {
        int end = source.indexOf("#}", at + 2);
        if (end < 0) {
            throw TemplateException.parsing(line, "expected #} after {#, found the end of the template");
        }

        char sign = source.charAt(end - 1);
        advance(end + 2);
        trimAfter(sign == '-' || sign == '+' ? sign : ' ');
    }

    private void readBlock(char sign) {
        Matcher raw = RAW.matcher(source).region(at, source.length());
        if (raw.lookingAt()) {
            readRaw(raw);
            return;
        }

        readExpression(Kind.BLOCK_BEGIN, sign == '-' || sign == '+' ? "{%" + sign : "{%", Kind.BLOCK_END, "%}");
    }

    private void readRaw(Matcher raw) {
        advance(raw.end());
        Matcher end = END_RAW.matcher(source).region(at, source.length());
        if (!end.find()) {
            throw TemplateException.parsing(line, "expected {% endraw %}, found the end of the template");
        }

        addStripped(
                end.start(), '%', end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0));
        advance(end.end());
    }

    private void readExpression(Kind begin, String beginText, Kind end, String endText) {
        add(begin, beginText);
        advance(at + beginText.length());
        Deque<String> open = new ArrayDeque<>();
        while (true) {
            skipSpace();
            if (open.isEmpty() && readEnd(end, endText)) {
                return;
            }

            readToken(open);
        }
    }

    private boolean readEnd(Kind end, String endText) {
        boolean signed = source.startsWith(endText, at + 1) && "-+".indexOf(source.charAt(at)) >= 0;
        if (!signed && !source.startsWith(endText, at)) {
            return false;
        }

        char sign = signed ? source.charAt(at) : ' ';
        add(end, endText);
        advance(at + endText.length() + (signed ? 1 : 0));
        if (end == Kind.BLOCK_END || sign == '-') {
            trimAfter(sign);
        }

        return true;
    }

    /** Drops what follows a tag: all white space after a minus, nothing after a plus, else one newline. */
    private void trimAfter(char sign) {
        if (sign == '-') {
            skipSpace();
        } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
            advance(at + 1);
        }
    }

    private void readToken(Deque<String> open) {
        if (at >= source.length()) {
            throw TemplateException.parsing(line, "expected the end of a tag, found the end of the template");
        }

        char next = source.charAt(at);
        if (next == '\'' || next == '"') {
            readString(next);
        } else if (!readNumber() && !readMatch(NAME, Kind.NAME)) {
            readOperator(open);
        }
    }

    private void readString(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }

        if (end >= source.length()) {
            throw TemplateException.parsing(
                    line, "expected %s at the end of a string, found the end of the template".formatted(quote));
        }

        add(Kind.STRING, decoded(source.substring(at + 1, end)));
        advance(end + 1);
    }

    private String decoded(String literal) {
        try {
            return StringEscapes.decode(literal);
        } catch (EvaluationException e) {
            throw TemplateException.parsing(line, String.valueOf(e.getMessage()));
        }
    }

    private boolean readNumber() {
        Matcher matcher = NUMBER.matcher(source).region(at, source.length());
        if (!matcher.lookingAt()) {
            return false;
        }

        add(
                matcher.group("float") == null ? Kind.INTEGER : Kind.FLOAT,
                matcher.group().replace("_", ""));
        advance(matcher.end());
        return true;
    }

    private boolean readMatch(Pattern pattern, Kind kind) {
        Matcher matcher = pattern.matcher(source).region(at, source.length());
        if (!matcher.lookingAt()) {
            return false;
        }

        add(kind, matcher.group());
        advance(matcher.end());
        return true;
    }

    private void readOperator(Deque<String> open) {
        if (!readMatch(OPERATOR, Kind.OPERATOR)) {
            throw TemplateException.parsing(line, "expected an expression, found '%s'".formatted(source.charAt(at)));
        }

        String operator = tokens.get(tokens.size() - 1).text();
        switch (operator) {
            case "(" -> open.push(")");
            case "[" -> open.push("]");
            case "{" -> open.push("}");
            case ")", "]", "}" -> close(open, operator);
            default -> {}
        }
    }

    private void close(Deque<String> open, String bracket) {
        String expected = open.isEmpty() ? "no bracket" : open.pop();
        if (!expected.equals(bracket)) {
            throw TemplateException.parsing(line, "expected %s, found %s".formatted(expected, bracket));
        }
    }

    private void skipSpace() {
        int end = at;
        while (end < source.length() && Character.isWhitespace(source.charAt(end))) {
            end++;
        }

        advance(end);
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }

    private void advance(int to) {
        line += newlines(source.substring(at, to));
        at = to;
    }

    private static int newlines(String text) {
        return (int) text.chars().filter(c -> c == '\n').count();
    }
}
