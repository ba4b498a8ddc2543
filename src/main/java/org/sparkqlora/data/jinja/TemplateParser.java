package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Expression.Filter;
import org.sparkqlora.data.jinja.Expression.Literal;
import org.sparkqlora.data.jinja.Statement.FilterCall;
import org.sparkqlora.data.jinja.Statement.Macro.Parameter;
import org.sparkqlora.data.jinja.Statement.Target;
import org.sparkqlora.data.jinja.Token.Kind;
import org.sparkqlora.input.TemplateLimits;

/** Recursive descent through a template's blocks. */
final class TemplateParser {
    private final TokenCursor tokens;
    private final ExpressionParser expressions;

    private TemplateParser(TokenCursor tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    static List<Statement> parse(String source, TemplateLimits limits) {
        if (source.length() > limits.sourceChars()) {
            throw TemplateException.parsing(
                    1,
                    String.format(
                            Locale.ROOT, "expected at most %d chars, found %d", limits.sourceChars(), source.length()));
        }

        TokenCursor tokens = new TokenCursor(Lexer.read(source), limits.sourceDepth());
        try {
            return new TemplateParser(tokens).parseWhole();
        } catch (StackOverflowError e) {
            // Of a thread with a smaller stack than limits allow for; parsing holds nothing that would be left half
            // done.
            throw TemplateException.parsing(tokens.line(), "expressions or blocks are nested too deep for this thread");
        }
    }

    private List<Statement> parseWhole() {
        List<Statement> body = parseBody(Set.of());
        if (tokens.peek().kind() != Kind.END) {
            throw tokens.unexpected("the end of the template");
        }

        return body;
    }

    /** Statements up to a block tag whose name is one of {@code ends}; the cursor then stands on that name. */
    private List<Statement> parseBody(Set<String> ends) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (tokens.peek().kind() != Kind.END) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> body.add(new Statement.Text(token.line(), token.text()));
                case OUTPUT_BEGIN -> body.add(parseOutput(token.line()));
                default -> {
                    if (ends.contains(tokens.peek().text())) {
                        tokens.leave();
                        return body;
                    }

                    body.add(parseBlock());
                }
            }
        }

        if (!ends.isEmpty()) {
            throw tokens.unexpected(
                    "{% " + String.join(" %} or {% ", ends.stream().sorted().toList()) + " %}");
        }

        tokens.leave();
        return body;
    }

    private Statement parseOutput(int line) {
        Expression value = expressions.parseTuple();
        tokens.expect(Kind.OUTPUT_END, "'}}'");
        return new Statement.Output(line, value);
    }

    private Statement parseBlock() {
        int line = tokens.line();
        String name = tokens.expectIdentifier();
        return switch (name) {
            case "if" -> parseIf(line);
            case "for" -> parseFor(line);
            case "set" -> parseSet(line);
            case "macro" -> parseMacro(line);
            case "call" -> parseCall(line);
            case "filter" -> parseFilterBlock(line);
            case "generation" -> new Statement.Generation(line, parseBlockBody("endgeneration"));
            case "break" -> ended(new Statement.Break(line));
            case "continue" -> ended(new Statement.Continue(line));
            default -> throw TemplateException.parsing(line, "unsupported block {%% %s %%}".formatted(name));
        };
    }

    private Statement ended(Statement statement) {
        tokens.expectBlockEnd();
        return statement;
    }

    /** The rest of the opening tag, the body, and the closing tag. */
    private List<Statement> parseBlockBody(String end) {
        tokens.expectBlockEnd();
        List<Statement> body = parseBody(Set.of(end));
        tokens.expectName(end);
        tokens.takeName(end.substring("end".length()));
        tokens.expectBlockEnd();
        return body;
    }

    private Statement parseIf(int line) {
        List<Statement.If.Branch> branches = new ArrayList<>();
        int branchLine = line;
        do {
            Expression condition = expressions.parseTuple();
            tokens.expectBlockEnd();
            branches.add(new Statement.If.Branch(branchLine, condition, parseBody(Set.of("elif", "else", "endif"))));
            branchLine = tokens.line();
        } while (tokens.takeName("elif"));

        List<Statement> otherwise = parseElse("endif");
        return new Statement.If(line, branches, otherwise);
    }

    private List<Statement> parseElse(String end) {
        List<Statement> otherwise = List.of();
        if (tokens.takeName("else")) {
            tokens.expectBlockEnd();
            otherwise = parseBody(Set.of(end));
        }

        tokens.expectName(end);
        tokens.expectBlockEnd();
        return otherwise;
    }

    private Statement parseFor(int line) {
        Target target = parseTargets();
        tokens.expectName("in");
        Expression items = expressions.parseLoopItems();
        Expression condition = tokens.takeName("if") ? expressions.parse() : null;
        if (tokens.peek().isName("recursive")) {
            throw TemplateException.parsing(line, "unsupported recursive loop");
        }

        tokens.expectBlockEnd();
        List<Statement> body = parseBody(Set.of("else", "endfor"));
        return new Statement.For(line, target, items, condition, body, parseElse("endfor"));
    }

    private Target parseTargets() {
        boolean parentheses = tokens.takeOperator("(");
        List<Target> targets = new ArrayList<>(List.of(parseTarget()));
        while (tokens.takeOperator(",")) {
            targets.add(parseTarget());
        }

        if (parentheses) {
            tokens.expectOperator(")");
        }

        return targets.size() == 1 ? targets.get(0) : new Target.Several(targets);
    }

    private Target parseTarget() {
        if (tokens.peek().isOperator("(")) {
            tokens.enter();
            Target targets = parseTargets();
            tokens.leave();
            return targets;
        }

        String name = tokens.expectIdentifier();
        return tokens.takeOperator(".") ? new Target.Field(name, tokens.expectIdentifier()) : new Target.Variable(name);
    }

    private Statement parseSet(int line) {
        Target target = parseTargets();
        if (tokens.takeOperator("=")) {
            Expression value = expressions.parseTuple();
            tokens.expectBlockEnd();
            return new Statement.Set(line, target, value);
        }

        List<FilterCall> filters = tokens.takeOperator("|") ? parseFilters() : List.of();
        return new Statement.SetBlock(line, target, filters, parseBlockBody("endset"));
    }

    private List<FilterCall> parseFilters() {
        List<FilterCall> filters = new ArrayList<>();
        do {
            Filter filter = expressions.parseFilter(new Literal(null));
            filters.add(new FilterCall(filter.name(), filter.arguments()));
        } while (tokens.takeOperator("|"));

        return filters;
    }

    private Statement parseFilterBlock(int line) {
        List<FilterCall> filters = parseFilters();
        return new Statement.FilterBlock(line, filters, parseBlockBody("endfilter"));
    }

    private Statement parseMacro(int line) {
        String name = tokens.expectIdentifier();
        tokens.expectOperator("(");
        List<Parameter> parameters = parseParameters();
        tokens.expectBlockEnd();
        List<Statement> body = parseBody(Set.of("endmacro"));
        tokens.expectName("endmacro");
        tokens.takeName(name);
        tokens.expectBlockEnd();
        return new Statement.Macro(line, name, parameters, body);
    }

    private Statement parseCall(int line) {
        List<Parameter> parameters = tokens.takeOperator("(") ? parseParameters() : List.of();
        Expression call = expressions.parse();
        return new Statement.CallBlock(line, parameters, call, parseBlockBody("endcall"));
    }

    private List<Parameter> parseParameters() {
        List<Parameter> parameters = new ArrayList<>();
        while (!tokens.takeOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }

            String name = tokens.expectIdentifier();
            @Nullable Expression defaultValue = tokens.takeOperator("=") ? expressions.parse() : null;
            parameters.add(new Parameter(name, defaultValue));
        }

        return parameters;
    }
}
