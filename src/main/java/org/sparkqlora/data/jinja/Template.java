package org.sparkqlora.data.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.TemplateLimits;

/** A parsed template. Immutable, so that many threads may render it. */
public final class Template {
    private final List<Statement> body;
    private final TemplateLimits limits;
    private final boolean marksGeneration;

    private Template(List<Statement> body, TemplateLimits limits) {
        this.body = List.copyOf(body);
        this.limits = limits;
        this.marksGeneration = GenerationSearch.isIn(body);
    }

    /** Parses {@code source}; throws {@link TemplateException} with the line of the first mistake. */
    public static Template parse(String source) {
        return parse(source, TemplateLimits.DEFAULT);
    }

    public static Template parse(String source, TemplateLimits limits) {
        return new Template(TemplateParser.parse(source, limits), limits);
    }

    /** This template with other limits on what it uses. */
    public Template within(TemplateLimits other) {
        return new Template(body, other);
    }

    /** The limits of a rendering. */
    public TemplateLimits limits() {
        return limits;
    }

    /** The text for {@code variables}: plain Java values (String, Boolean, Long, Double, List, Map, null) and functions. */
    public String render(Map<String, ? extends @Nullable Object> variables) {
        return renderMarked(variables).text();
    }

    /** As {@link #render}, with the places of {@code {% generation %}} blocks. */
    public Rendering renderMarked(Map<String, ? extends @Nullable Object> variables) {
        Budget budget = new Budget(limits);
        Map<String, @Nullable Object> names = new HashMap<>(new Globals(budget).functions());
        names.putAll(variables);
        return new Interpreter(budget, new MessagePasses(variables)).render(body, Scope.of(names));
    }

    /** Whether {@code {% generation %}} blocks say what the assistant writes. */
    public boolean marksGeneration() {
        return marksGeneration;
    }

    /** Looks for {@code {% generation %}} anywhere in a template. */
    private static final class GenerationSearch {
        private GenerationSearch() {}

        static boolean isIn(List<Statement> body) {
            return body.stream().anyMatch(GenerationSearch::isIn);
        }

        private static boolean isIn(Statement statement) {
            return statement instanceof Statement.Generation
                    || bodies(statement).anyMatch(GenerationSearch::isIn);
        }

        private static Stream<List<Statement>> bodies(Statement statement) {
            if (statement instanceof Statement.If choice) {
                return Stream.concat(
                        choice.branches().stream().map(Statement.If.Branch::body), Stream.of(choice.otherwise()));
            }

            if (statement instanceof Statement.For loop) {
                return Stream.of(loop.body(), loop.otherwise());
            }

            return statement instanceof Statement.Macro macro ? Stream.of(macro.body()) : Stream.empty();
        }
    }
}
