package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Locale;
import org.sparkqlora.data.jinja.Token.Kind;

/** The position of a parser in its tokens. */
final class TokenCursor {
    private final List<Token> tokens;
    private final int maxDepth;
    private int at;
    private int depth;

    TokenCursor(List<Token> tokens, int maxDepth) {
        this.tokens = tokens;
        this.maxDepth = maxDepth;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    int line() {
        return peek().line();
    }

    boolean takeOperator(String operator) {
        return take(peek().isOperator(operator));
    }

    boolean takeName(String name) {
        return take(peek().isName(name));
    }

    void expectOperator(String operator) {
        if (!takeOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    /** A comma, unless what follows is the first of its kind. */
    void expectComma(boolean first) {
        if (!first) {
            expectOperator(",");
        }
    }

    void expectName(String name) {
        if (!takeName(name)) {
            throw unexpected("'" + name + "'");
        }
    }

    Token expect(Kind kind, String description) {
        if (peek().kind() != kind) {
            throw unexpected(description);
        }

        return next();
    }

    String expectIdentifier() {
        return expect(Kind.NAME, "a name").text();
    }

    void expectBlockEnd() {
        expect(Kind.BLOCK_END, "'%}'");
    }

    /** Counts one more level of nesting, until {@link #leave}. */
    void enter() {
        depth++;
        if (depth > maxDepth) {
            throw TemplateException.parsing(
                    line(), String.format(Locale.ROOT, "expected at most %d levels of nesting", maxDepth));
        }
    }

    void leave() {
        leave(1);
    }

    /** Ends so many levels, which the links of a chain have entered. */
    void leave(int levels) {
        depth -= levels;
    }

    TemplateException unexpected(String expected) {
        return TemplateException.parsing(line(), "expected %s, found %s".formatted(expected, peek().describe()));
    }

    private boolean take(boolean matches) {
        if (matches) {
            next();
        }

        return matches;
    }
}
