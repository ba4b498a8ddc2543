package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    ExpressionParser(TokenCursor tokens) {
        this.tokens = tokens;
    }

    /** An expression with everything. */
    Expression parse() {
        tokens.enter();
        Expression value = parseOr();
        while (tokens.takeName("if")) {
            Expression condition = parseOr();
            Expression otherwise = tokens.takeName("else") ? parse() : null;
            value = new Conditional(condition, value, otherwise);
        }

        tokens.leave();
        return value;
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
        Expression left = parseAnd();
        while (tokens.takeName("or")) {
            left = new Or(left, parseAnd());
        }

        return left;
    }

    private Expression parseAnd() {
        Expression left = parseNot();
        while (tokens.takeName("and")) {
            left = new And(left, parseNot());
        }

        return left;
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
        Expression left = parseConcatenation();
        while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
            left = new Arithmetic(tokens.next().text(), left, parseConcatenation());
        }

        return left;
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
        Expression left = parsePower();
        while (tokens.peek().kind() == Kind.OPERATOR
                && PRODUCTS.contains(tokens.peek().text())) {
            left = new Arithmetic(tokens.next().text(), left, parsePower());
        }

        return left;
    }

    private Expression parsePower() {
        Expression left = parseFiltered(parseSigned());
        while (tokens.takeOperator("**")) {
            left = new Arithmetic("**", left, parseFiltered(parseSigned()));
        }

        return left;
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
            requireComma(items.isEmpty());
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
            requireComma(entries.isEmpty());
            if (tokens.takeOperator("}")) {
                break;
            }

            Expression key = parse();
            tokens.expectOperator(":");
            entries.add(new MapLiteral.Entry(key, parse()));
        }

        return new MapLiteral(entries);
    }

    private void requireComma(boolean first) {
        if (!first) {
            tokens.expectOperator(",");
        }
    }

    private Expression parsePostfix(Expression target) {
        Expression value = target;
        while (true) {
            if (tokens.takeOperator(".")) {
                value = parseAttribute(value);
            } else if (tokens.takeOperator("[")) {
                value = parseSubscript(value);
            } else if (tokens.takeOperator("(")) {
                value = new Call(value, parseArguments());
            } else {
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
        while (true) {
            if (tokens.takeOperator("|")) {
                value = parseFilter(value);
            } else if (tokens.takeName("is")) {
                value = parseTest(value);
            } else if (tokens.takeOperator("(")) {
                value = new Call(value, parseArguments());
            } else {
                return value;
            }
        }
    }

    Filter parseFilter(Expression input) {
        String name = tokens.expectIdentifier();
        return new Filter(input, name, parseOptionalArguments());
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
            return parseOptionalArguments();
        }

        boolean value = TEST_ARGUMENT.contains(token.kind()) || token.isOperator("[") || token.isOperator("{");
        if (!value || token.kind() == Kind.NAME && TEST_ENDS.contains(token.text())) {
            return Arguments.NONE;
        }

        return new Arguments(List.of(parsePostfix(parsePrimary())), Map.of());
    }

    Arguments parseOptionalArguments() {
        return tokens.takeOperator("(") ? parseArguments() : Arguments.NONE;
    }

    private Arguments parseArguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.takeOperator(")")) {
            requireComma(positional.isEmpty() && named.isEmpty());
            if (tokens.takeOperator(")")) {
                break;
            }

            parseArgument(positional, named);
        }

        return new Arguments(positional, named);
    }

    private void parseArgument(List<Expression> positional, Map<String, Expression> named) {
        if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
            String name = tokens.next().text();
            tokens.next();
            named.put(name, parse());
        } else if (named.isEmpty()) {
            positional.add(parse());
        } else {
            throw tokens.unexpected("name=value after another argument of this form");
        }
    }

    private static TemplateException notAnExpression(Token token) {
        return TemplateException.parsing(token.line(), "expected an expression, found " + token.describe());
    }
}
