package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Expression.And;
import org.sparkqlora.data.jinja.Expression.Arguments;
import org.sparkqlora.data.jinja.Expression.Arithmetic;
import org.sparkqlora.data.jinja.Expression.Attribute;
import org.sparkqlora.data.jinja.Expression.Call;
import org.sparkqlora.data.jinja.Expression.Comparison;
import org.sparkqlora.data.jinja.Expression.Concatenation;
import org.sparkqlora.data.jinja.Expression.Conditional;
import org.sparkqlora.data.jinja.Expression.Filter;
import org.sparkqlora.data.jinja.Expression.Item;
import org.sparkqlora.data.jinja.Expression.ListLiteral;
import org.sparkqlora.data.jinja.Expression.Literal;
import org.sparkqlora.data.jinja.Expression.MapLiteral;
import org.sparkqlora.data.jinja.Expression.Name;
import org.sparkqlora.data.jinja.Expression.Negation;
import org.sparkqlora.data.jinja.Expression.Not;
import org.sparkqlora.data.jinja.Expression.Or;
import org.sparkqlora.data.jinja.Expression.Slice;
import org.sparkqlora.data.jinja.Expression.Test;
import org.sparkqlora.data.jinja.Token.Kind;

/** Recursive descent through Jinja's expressions, loosest binding first. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
    private static final Set<Kind> TEST_ARGUMENT = Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);
    private static final Set<String> TEST_ENDS = Set.of("else", "or", "and", "if", "is", "not", "in");

    private final TokenCursor tokens;
    private final ArgumentsParser arguments;

    ExpressionParser(TokenCursor tokens) {
        this.tokens = tokens;
        this.arguments = new ArgumentsParser(tokens, this);
    }

    /** An expression with everything. */
    Expression parse() {
        tokens.enter();
        Expression value = parseOr();
        int links = 1;
        while (tokens.takeName("if")) {
            links += link();
            Expression condition = parseOr();
            Expression otherwise = tokens.takeName("else") ? parse() : null;
            value = new Conditional(condition, value, otherwise);
        }

        tokens.leave(links);
        return value;
    }

    /** One more link of a chain, within which the links before it are nested. */
    private int link() {
        tokens.enter();
        return 1;
    }

    /**
     * Operands and operators from left to right.
     *
     * @param next takes an operator and says how it joins an operand to those before; null where there is none
     */
    private Expression chain(Expression first, Supplier<@Nullable UnaryOperator<Expression>> next) {
        Expression left = first;
        int links = 0;
        for (UnaryOperator<Expression> join = next.get(); join != null; join = next.get()) {
            links += link();
            left = join.apply(left);
        }

        tokens.leave(links);
        return left;
    }

    /** An expression, or several with commas between, which are a tuple. */
    Expression parseTuple() {
        return parseCommas(parse());
    }

    /** As {@link #parseTuple}, without {@code x if y}: in a for loop the word begins the loop's own condition. */
    Expression parseLoopItems() {
        return parseCommas(parseOr());
    }

    private Expression parseCommas(Expression first) {
        if (!tokens.peek().isOperator(",")) {
            return first;
        }

        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",") && startsExpression(tokens.peek())) {
            items.add(parse());
        }

        return new ListLiteral(items);
    }

    private static boolean startsExpression(Token token) {
        return token.kind() != Kind.BLOCK_END && token.kind() != Kind.OUTPUT_END && !token.isOperator(")");
    }

    private Expression parseOr() {
        return chain(parseAnd(), () -> tokens.takeName("or") ? left -> new Or(left, parseAnd()) : null);
    }

    private Expression parseAnd() {
        return chain(parseNot(), () -> tokens.takeName("and") ? left -> new And(left, parseNot()) : null);
    }

    private Expression parseNot() {
        if (!tokens.takeName("not")) {
            return parseComparison();
        }

        tokens.enter();
        Expression value = parseNot();
        tokens.leave();
        return new Not(value);
    }

    private Expression parseComparison() {
        Expression first = parseSum();
        List<Comparison.Step> steps = new ArrayList<>();
        while (true) {
            String operator = takeComparison();
            if (operator == null) {
                return steps.isEmpty() ? first : new Comparison(first, steps);
            }

            steps.add(new Comparison.Step(operator, parseSum()));
        }
    }

    private @Nullable String takeComparison() {
        Token token = tokens.peek();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return tokens.next().text();
        }

        if (tokens.takeName("in")) {
            return "in";
        }

        if (token.isName("not") && tokens.peekSecond().isName("in")) {
            tokens.next();
            tokens.next();
            return "not in";
        }

        return null;
    }

    private Expression parseSum() {
        return chain(
                parseConcatenation(),
                () -> tokens.peek().isOperator("+") || tokens.peek().isOperator("-")
                        ? left -> new Arithmetic(tokens.next().text(), left, parseConcatenation())
                        : null);
    }

    private Expression parseConcatenation() {
        Expression first = parseProduct();
        if (!tokens.peek().isOperator("~")) {
            return first;
        }

        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.takeOperator("~")) {
            parts.add(parseProduct());
        }

        return new Concatenation(parts);
    }

    private Expression parseProduct() {
        return chain(
                parsePower(),
                () -> tokens.peek().kind() == Kind.OPERATOR
                                && PRODUCTS.contains(tokens.peek().text())
                        ? left -> new Arithmetic(tokens.next().text(), left, parsePower())
                        : null);
    }

    private Expression parsePower() {
        return chain(
                parseFiltered(parseSigned()),
                () -> tokens.takeOperator("**")
                        ? left -> new Arithmetic("**", left, parseFiltered(parseSigned()))
                        : null);
    }

    /** A sign binds tighter than a filter. */
    private Expression parseSigned() {
        boolean negative = tokens.peek().isOperator("-");
        if (!negative && !tokens.peek().isOperator("+")) {
            return parsePostfix(parsePrimary());
        }

        tokens.next();
        tokens.enter();
        Expression value = parseSigned();
        tokens.leave();
        return negative ? new Negation(value) : value;
    }

    private Expression parsePrimary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> nameOrConstant(token.text());
            case STRING -> new Literal(adjacentStrings(token.text()));
            case INTEGER -> new Literal(integer(token));
            case FLOAT -> new Literal(Double.parseDouble(token.text()));
            case OPERATOR -> parseBracketed(token);
            case TEXT, OUTPUT_BEGIN, OUTPUT_END, BLOCK_BEGIN, BLOCK_END, END -> throw notAnExpression(token);
        };
    }

    private static Expression nameOrConstant(String name) {
        return switch (name) {
            case "true", "True" -> new Literal(true);
            case "false", "False" -> new Literal(false);
            case "none", "None" -> new Literal(null);
            default -> new Name(name);
        };
    }

    private String adjacentStrings(String first) {
        StringBuilder text = new StringBuilder(first);
        while (tokens.peek().kind() == Kind.STRING) {
            text.append(tokens.next().text());
        }

        return text.toString();
    }

    private static long integer(Token token) {
        try {
            return Long.parseLong(token.text());
        } catch (NumberFormatException e) {
            throw TemplateException.parsing(token.line(), "expected an integer of 64 bits, found " + token.text());
        }
    }

    private Expression parseBracketed(Token bracket) {
        return switch (bracket.text()) {
            case "(" -> parseParentheses();
            case "[" -> new ListLiteral(parseItems("]"));
            case "{" -> parseMap();
            default -> throw notAnExpression(bracket);
        };
    }

    private Expression parseParentheses() {
        if (tokens.takeOperator(")")) {
            return new ListLiteral(List.of());
        }

        Expression value = parseTuple();
        tokens.expectOperator(")");
        return value;
    }

    private List<Expression> parseItems(String end) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.takeOperator(end)) {
            tokens.expectComma(items.isEmpty());
            if (tokens.takeOperator(end)) {
                break;
            }

            items.add(parse());
        }

        return items;
    }

    private Expression parseMap() {
        List<MapLiteral.Entry> entries = new ArrayList<>();
        while (!tokens.takeOperator("}")) {
            tokens.expectComma(entries.isEmpty());
            if (tokens.takeOperator("}")) {
                break;
            }

            Expression key = parse();
            tokens.expectOperator(":");
            entries.add(new MapLiteral.Entry(key, parse()));
        }

        return new MapLiteral(entries);
    }

    private Expression parsePostfix(Expression target) {
        Expression value = target;
        for (int links = 0; ; links += link()) {
            if (tokens.takeOperator(".")) {
                value = parseAttribute(value);
            } else if (tokens.takeOperator("[")) {
                value = parseSubscript(value);
            } else if (tokens.takeOperator("(")) {
                value = new Call(value, arguments.parse());
            } else {
                tokens.leave(links);
                return value;
            }
        }
    }

    private Expression parseAttribute(Expression target) {
        return tokens.peek().kind() == Kind.INTEGER
                ? new Item(target, new Literal(integer(tokens.next())))
                : new Attribute(target, tokens.expectIdentifier());
    }

    private Expression parseSubscript(Expression target) {
        Expression from = tokens.peek().isOperator(":") ? null : parse();
        if (from != null && tokens.takeOperator("]")) {
            return new Item(target, from);
        }

        tokens.expectOperator(":");
        Expression to = parseSlicePart();
        Expression step = tokens.takeOperator(":") ? parseSlicePart() : null;
        tokens.expectOperator("]");
        return new Slice(target, from, to, step);
    }

    private @Nullable Expression parseSlicePart() {
        return tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : parse();
    }

    /** Filters, tests and calls of their results, in any order. */
    private Expression parseFiltered(Expression input) {
        Expression value = input;
        for (int links = 0; ; links += link()) {
            if (tokens.takeOperator("|")) {
                value = parseFilter(value);
            } else if (tokens.takeName("is")) {
                value = parseTest(value);
            } else if (tokens.takeOperator("(")) {
                value = new Call(value, arguments.parse());
            } else {
                tokens.leave(links);
                return value;
            }
        }
    }

    Filter parseFilter(Expression input) {
        String name = tokens.expectIdentifier();
        return new Filter(input, name, arguments.parseOptional());
    }

    private Expression parseTest(Expression input) {
        boolean negated = tokens.takeName("not");
        Token name = tokens.peek().isOperator("==") ? tokens.next() : tokens.expect(Kind.NAME, "the name of a test");
        Test test = new Test(input, name.text(), parseTestArguments());
        return negated ? new Not(test) : test;
    }

    private Arguments parseTestArguments() {
        Token token = tokens.peek();
        if (token.isOperator("(")) {
            return arguments.parseOptional();
        }

        boolean value = TEST_ARGUMENT.contains(token.kind()) || token.isOperator("[") || token.isOperator("{");
        if (!value || token.kind() == Kind.NAME && TEST_ENDS.contains(token.text())) {
            return Arguments.NONE;
        }

        return new Arguments(List.of(parsePostfix(parsePrimary())), Map.of());
    }

    private static TemplateException notAnExpression(Token token) {
        return TemplateException.parsing(token.line(), "expected an expression, found " + token.describe());
    }
}
